"""Takes out of Ghost's package.json what only its makers need, since npm would ask for their addresses of git."""

import json
import sys
from pathlib import Path

MAKERS = ("devDependencies", "nx", "packageManager", "pnpm", "scripts")

package = Path(sys.argv[1])
told = json.loads(package.read_text(encoding="utf-8"))
package.write_text(json.dumps({part: what for part, what in told.items() if part not in MAKERS}), encoding="utf-8")
