"""Puts a page into the content volume."""

import os
import subprocess

WRITE = "echo 'kept by canon' > /usr/share/nginx/html/canon.txt"

subprocess.run([os.environ["APP_RUN"], "sh", "-c", WRITE], check=True)
