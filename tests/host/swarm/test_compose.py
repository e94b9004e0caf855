"""Tests what is read from a resolved compose configuration."""

from collections.abc import Mapping

import pytest

from reconciler.errors import RecipeError
from reconciler.host.swarm.recipe.compose import (
    Config,
    Mount,
    app_service,
    file_sources,
    images,
    mounts,
    published_ports,
    restore_ports,
    scaled_to_zero,
    shared_volumes,
    tmpfs_mounts,
)

SHARED = {"name": "certificates", "external": True}
MOUNTS = [
    {"type": "bind", "source": "/srv", "target": "/data"},
    {"type": "bind", "source": "/etc", "target": "/etc", "read_only": True},
    {"type": "volume", "source": "data", "target": "/more"},
    {"type": "volume", "source": "shared", "target": "/shared"},
    {"type": "volume", "source": "certificates", "target": "/certificates", "read_only": True},
    {"type": "tmpfs", "target": "/run"},
]


def config(**app: object) -> Config:
    """Return a config as `docker stack config` prints it."""
    return {"version": "3.8", "services": {"app": {"image": "nginx:1", **app}}}


def port(published: int, protocol: str = "tcp", mode: str = "ingress") -> Config:
    return {"mode": mode, "target": 80, "published": published, "protocol": protocol}


def test_a_recipe_without_a_service_app_is_refused() -> None:
    with pytest.raises(RecipeError, match="no service app"):
        app_service({"services": {"web": {}}})


def test_only_a_service_with_zero_replicas_counts_as_scaled_to_zero() -> None:
    told: Config = {
        "services": {
            "app": {"deploy": {"replicas": 0}},
            "db": {"deploy": {"replicas": 1}},
            "cache": {"deploy": {"mode": "global"}},
            "mail": {},
        }
    }
    assert scaled_to_zero(told) == ("app",)


def test_every_tmpfs_is_noted_with_its_service() -> None:
    told: Config = {"services": {"app": {"tmpfs": ["/tmp:size=1m", "/run"]}, "db": {"tmpfs": "/run"}, "web": {}}}
    assert list(tmpfs_mounts(told)) == [("app", "/tmp:size=1m"), ("app", "/run"), ("db", "/run")]


def test_a_claim_is_a_fixed_port_of_any_service() -> None:
    told: Config = {
        "services": {
            "app": {"ports": [port(64738), port(64738, "udp"), {"target": 80}]},
            "db": {"ports": [port(5432, mode="host")]},
            "cache": {},
        }
    }
    assert published_ports(told) == {"64738/tcp": "app", "64738/udp": "app", "5432/tcp": "db"}


def test_images_files_and_outside_volumes_are_noted_once_each() -> None:
    told: Config = {
        "services": {
            "app": {"image": "nginx:1", "volumes": MOUNTS},
            "two": {"image": "nginx:1"},
            "db": {"image": "pg@sha256:00"},
        },
        "configs": {"a": {"file": "/c/a"}, "b": {"external": True, "name": "b"}, "c": None},
        "secrets": {"s": {"file": "/c/s", "name": "x"}},
        "volumes": {"data": {}, "shared": {"name": "shared", "external": True}, "none": None, "certificates": SHARED},
    }
    assert images(told) == ("nginx:1", "pg@sha256:00")
    assert list(file_sources(told)) == [("config a", "/c/a"), ("secret s", "/c/s")]
    assert shared_volumes(told) == ("shared",)
    assert (images({"services": {}}), list(file_sources({})), shared_volumes(config())) == ((), [], ())


@pytest.mark.parametrize(
    "options",
    [
        {"type": "none", "o": "bind", "device": "/srv/data"},
        {"type": "nfs", "o": "addr=10.0.0.1,rw", "device": ":/exports/data"},
        {"type": "cifs", "device": "//host/share"},
    ],
)
def test_a_volume_that_is_a_link_to_a_place_outside_counts_as_shared(options: Mapping[str, str]) -> None:
    assert shared_volumes({**config(volumes=MOUNTS), "volumes": {"data": {"driver_opts": options}}}) == ("data",)


def test_a_volume_in_memory_does_not_count_as_shared() -> None:
    options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    assert shared_volumes({**config(volumes=MOUNTS), "volumes": {"data": {"driver_opts": options}}}) == ()


def test_mounts_have_their_service_and_whether_they_are_writable() -> None:
    told = config(volumes=MOUNTS)
    assert list(mounts(told, "bind")) == [Mount("app", "/srv", written=True), Mount("app", "/etc", written=False)]
    assert [mount.source for mount in mounts(told, "volume")] == ["data", "shared", "certificates"]


def test_a_port_is_published_for_each_protocol_and_as_the_last_file_says() -> None:
    merged, udp, tcp, moved = (config(ports=[one]) for one in (port(1), port(1, "udp"), port(1), port(1, mode="host")))
    assert restore_ports(merged, [])["services"]["app"]["ports"] == [port(1)]
    both = restore_ports(merged, [udp, tcp, moved])["services"]["app"]["ports"]
    assert both == [port(1, "udp"), port(1, mode="host")]
    assert restore_ports(merged, [{}, {"services": {"app": {"image": "nginx:2"}}}]) == merged


def test_a_service_that_publishes_nothing_gets_no_ports_from_another() -> None:
    told: Config = {"services": {"app": {}, "db": {"ports": [port(5432)]}}}
    assert restore_ports(told, [told, told]) == told
