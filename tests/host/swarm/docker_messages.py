"""Error messages of Docker, by whether they blame the host or the recipe."""

SOCKET = "unix:///run/docker.sock"
DAEMON = "Error response from daemon: "
NOT_A_MANAGER = (
    'his node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm '
    "and try again"
)
# Messages of Docker Engine 20.10.24 and its clients 20.10, 26.1 and 28, recorded when each fault was caused.
OF_THE_HOST = {
    "the engine is down": f"Cannot connect to the Docker daemon at {SOCKET}. Is the docker daemon running?",
    "its host is unknown": (
        'error during connect: Get "http://nohost.invalid:2375/v1.45/version": dial tcp: lookup nohost.invalid on '
        "127.0.0.53:53: no such host"
    ),
    "the engine ended meanwhile": "unexpected EOF",
    "its socket is closed to us": (
        f"permission denied while trying to connect to the Docker daemon socket at {SOCKET}: "
        'Get "http://%2Frun%2Fdocker.sock/v1.45/services?status=true": '
        "dial unix /run/docker.sock: connect: permission denied"
    ),
    "this host is no manager": f"{DAEMON}T{NOT_A_MANAGER}.",
    "nor is it one for the client": f"t{NOT_A_MANAGER}",
    "no room for an image": "write /var/lib/docker/tmp/GetImageBlob2730752373: no space left on device",
    "no room for a network": (
        f"{DAEMON}could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the "
        "network"
    ),
    "a network is missing": (
        'network "proxy" is declared as external, but could not be found. You need to create a swarm-scoped network '
        "before the stack is deployed"
    ),
    "a network of this host alone": (
        'network "proxy" is declared as external, but it is not in the right scope: "local" instead of "swarm"'
    ),
    "a port of the host is taken": (
        "starting container failed: container e069ca0e221efee2953807a6007545d58fc4707e51a510b19d3e46d9d283908a: "
        "endpoint join on GW Network failed: driver failed programming external connectivity on endpoint "
        "gateway_c6cbc825d5c7 (327613533cad3e9cdef7ed0ad8e494175a347fad808c7a4ce0f2251b9fbe93bc): Error starting "
        "userland proxy: listen tcp4 0.0.0.0:45323: bind: address already in use"
    ),
    "the registry is down": (
        f'{DAEMON}Get "http://127.0.0.1:5001/v2/": dial tcp 127.0.0.1:5001: connect: connection refused'
    ),
    "the registry is unknown": (
        f'{DAEMON}Get "https://registry.invalid/v2/": dial tcp: lookup registry.invalid on 127.0.0.53:53: no such host'
    ),
    "the registry has an error": f"{DAEMON}received unexpected HTTP status: 500 Internal Server Error",
    "the registry is behind a broken proxy": f"{DAEMON}received unexpected HTTP status: 502 Bad Gateway",
    "the registry is busy": f"{DAEMON}received unexpected HTTP status: 503 Service Unavailable",
    "the registry is slow": f"{DAEMON}received unexpected HTTP status: 504 Gateway Timeout",
    "the registry has had enough of us": (
        f"{DAEMON}error parsing HTTP 429 response body: invalid character 'o' in literal null (expecting 'u'): \"no\""
    ),
    "a page of somebody else's": (
        f"{DAEMON}error unmarshalling content: invalid character '<' looking for beginning of value"
    ),
    "the registry hangs up": f'{DAEMON}Head "http://127.0.0.1:5099/v2/eof/x/manifests/1": EOF',
    "the registry breaks off": (
        f'{DAEMON}Head "http://127.0.0.1:5099/v2/reset/x/manifests/1": read tcp 127.0.0.1:43408->127.0.0.1:5099: '
        "read: connection reset by peer"
    ),
}
# Messages from the sources of Docker and of its libraries.
OF_THE_HOST_TOO = {
    "an engine that a newer client does not find": (
        f"failed to connect to the docker API at {SOCKET}; check if the path is correct and if the daemon is running: "
        "dial unix /run/docker.sock: connect: no such file or directory"
    ),
    "an interface of an earlier network": (
        'network sandbox join failed: subnet sandbox join failed for "10.0.81.0/24": error creating vxlan interface: '
        "file exists"
    ),
    "a limit of the registry": f"{DAEMON}toomanyrequests: You have reached your pull rate limit.",
    "a registry that does not answer": (
        f'{DAEMON}Get "https://registry.example/v2/": net/http: request canceled while waiting for connection '
        "(Client.Timeout exceeded while awaiting headers)"
    ),
    "a registry whose certificate is not known": (
        f'{DAEMON}Get "https://registry.example/v2/": x509: certificate signed by unknown authority'
    ),
    "a swarm without a leader": (
        f"{DAEMON}rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few "
        "managers are online. Make sure more than half of the managers are online."
    ),
}
OF_THE_RECIPE = {
    "a size that is none": "services.app.deploy.resources.limits.memory: invalid size: '500 XB'",
    "a path with a blank": f"{DAEMON}Could not find the file /volumes/data/dumps of today in container 3f6dc1a",
    "no such tag": f"{DAEMON}manifest for 127.0.0.1:5000/nginx:9 not found: manifest unknown: manifest unknown",
    "no such name": f"{DAEMON}invalid reference format: repository name must be lowercase",
    "an image for others": (
        f"{DAEMON}pull access denied for x/y, repository does not exist or may require 'docker login': denied: "
        "requested access to the resource is denied"
    ),
    "an image behind a login": f"{DAEMON}unauthorized: authentication required",
    "no such image, for containerd's store of images": (
        f'{DAEMON}failed to resolve reference "127.0.0.1:5000/nginx:9": 127.0.0.1:5000/nginx:9: not found'
    ),
    "no such file in a volume": f"{DAEMON}Could not find the file /volumes/data/dump.sql in container {'0' * 64}",
    "no such secret": "service app: secret not found: notes_password_v1",
    "no such config": "service app: config not found: notes_entry_v1",
    "no compose file": "networks.internal.labels.x must be a string, number or null",
    "a config that changed": (
        "failed to update config notes_entry_v1: Error response from daemon: rpc error: code = InvalidArgument "
        "desc = only updates to Labels are allowed"
    ),
}
# Messages for missing objects, of each kind and client.
NOT_THERE = (
    "Error response from daemon: service nope not found",
    "Status: Error: no such service: nope, Code: 1",
    "Error: no such service: nope",
    "no such service: nope",
    "Error response from daemon: task nope not found",
    "Error response from daemon: get nope: no such volume",
    "Error response from daemon: network nope not found",
    "Status: Error response from daemon: secret nope not found, Code: 1",
    "Error response from daemon: config nope not found",
    "Error response from daemon: No such container: nope",
    "Error: No such task: nope",
    "Error: No such volume: nope",
    "Status: Error: No such config: nope, Code: 1",
    "Error response from daemon: no such image: nope: No such image: nope:latest",
)
