"""The names of images: Docker takes several for one image, and lists one of them."""

_HUB = ("docker.io/library/", "docker.io/")


def full_name(reference: str) -> str:
    """Return the name that an engine lists for an image: "nginx:latest" for "nginx" and "docker.io/library/nginx".

    A reference with a digest stays as it is, but loses the name of Docker's own registry too.
    """
    name = next((reference.removeprefix(hub) for hub in _HUB if reference.startswith(hub)), reference)
    last = name.rsplit("/", 1)[-1]
    return name if ":" in last or "@" in last else f"{name}:latest"
