from reconciler.host.swarm.engine.image_names import full_name


def test_names_of_one_image_are_the_same_name() -> None:
    named = {
        "nginx": "nginx:latest",
        "docker.io/library/nginx:1.28": "nginx:1.28",
        "docker.io/ghost/ghost": "ghost/ghost:latest",
        "127.0.0.1:5000/app": "127.0.0.1:5000/app:latest",
        "app@sha256:aa": "app@sha256:aa",
    }
    assert {given: full_name(given) for given in named} == named
