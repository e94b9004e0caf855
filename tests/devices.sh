# Sourced: gives a root a /dev of its own with what programs expect there. Argument: the root.
make_devices() {
  local node
  mount -t tmpfs -o mode=755 dev "$1/dev"
  for node in null full zero random urandom tty; do
    touch "$1/dev/$node"
    mount --bind "/dev/$node" "$1/dev/$node"
  done
  mkdir "$1"/dev/{pts,shm}
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts"
  mount -t tmpfs shm "$1/dev/shm"
  ln -s pts/ptmx "$1/dev/ptmx"
  ln -s /proc/self/fd "$1/dev/fd"
  ln -s fd/0 "$1/dev/stdin"
  ln -s fd/1 "$1/dev/stdout"
  ln -s fd/2 "$1/dev/stderr"
}
