#!/usr/bin/env bash
# Run `make run` and `make test` on a Debian that has Python, venv, make and git, and nothing else.
#   bare-machine.sh [root] [user]    as whom; without a name both, each on a system of its own
# ARGS         what `make test` runs, as in `make test` (default: everything)
# BARE_FOLDER  where the systems are made, some 5 GB each; kept (default: a new folder, removed at the end)
# SUITE        the release of Debian (default: the one of this machine)
# MIRROR       where its packages come from (default: as this machine's)
# It needs root and debootstrap. What is committed is tried. Exit code 0: both commands worked.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

say() {
  printf '\n== %s\n' "$*" >&2
}

# Proxies, certificates and package sources of this machine hold in the new system too; nothing else does.
passed_environment() {
  env | grep -iE '^([a-z]+_proxy|PIP_[A-Z_]+|[A-Z_]*(SSL_CERT|CA_BUNDLE)[A-Z_]*)=' || true
}

mirror_of_this_machine() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Codename: $suite" | head -n 1
}

make_base() {
  local base=$1 mirror=${MIRROR:-$(mirror_of_this_machine)}
  [[ -n $mirror ]] || fail "no source of $suite is known here: name one, MIRROR=http://…"
  say "Making a Debian $suite with Python, venv, make and git"
  debootstrap --variant=minbase --include=python3,python3-venv,make,git,ca-certificates \
    "$suite" "$base.part" "$mirror" >"$folder/debootstrap.log" 2>&1 ||
    fail "debootstrap failed: $(tail -n 3 "$folder/debootstrap.log")"
  cp --dereference /etc/resolv.conf /etc/hosts "$base.part/etc/"
  [[ ! -f /etc/pip.conf ]] || cp /etc/pip.conf "$base.part/etc/"
  [[ ! -d /usr/local/share/ca-certificates ]] ||
    cp --recursive /usr/local/share/ca-certificates/. "$base.part/usr/local/share/ca-certificates/"
  chroot "$base.part" update-ca-certificates >/dev/null 2>&1
  apt-config dump | grep -E '^Acquire::(https?|Retries|Check-[A-Za-z-]+)(::|[ ])' >"$base.part/etc/apt/apt.conf.d/60passed" || true
  chroot "$base.part" useradd --create-home --shell /bin/bash builder
  mv "$base.part" "$base"
}

inside() { # inside NAME COMMAND: as that user, in the clone, with an environment that says little
  local name=$1 home variables=()
  home=$(chroot "$root" getent passwd "$name" | cut -d : -f 6)
  mapfile -t variables < <(passed_environment)
  chroot "$root" setpriv --reuid="$name" --regid="$name" --init-groups -- env --ignore-environment \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" USER="$name" LANG=C.UTF-8 \
    ARGS="${ARGS-}" PORT="$port" "${variables[@]}" bash -euc "cd '$clone'; $2"
}

# What an administrator does who was sent the note.
install_as_asked() {
  local asked
  asked=$(sed -n 's/^note: .*Have an administrator run: //p' "$1" | tail -n 1)
  [[ -n $asked ]] || fail "a user without sudo was not told which command to ask for"
  say "As root, what $name was told to ask for: $asked"
  inside root "export DEBIAN_FRONTEND=noninteractive; $asked" >"$root.packages.log" 2>&1 </dev/null ||
    fail "that command failed: $(tail -n 3 "$root.packages.log")"
}

run_product() {
  say "make run, as $name"
  # shellcheck disable=SC2016
  inside "$name" '
    make run & run=$!
    for ((second = 0; second < 1200; second += 2)); do
      kill -0 $run || { echo "error: make run ended" >&2; exit 1; }
      if python3 -c "import urllib.request as web; web.urlopen(\"http://127.0.0.1:$PORT/healthz\", timeout=5)" 2>/dev/null; then
        echo "make run answers after $second s"
        kill -TERM $run
        wait $run || true
        exit 0
      fi
      sleep 2
    done
    echo "error: make run does not answer" >&2
    kill -TERM $run
    exit 1' 2>&1 | tee "$root.run.log"
}

run_tests() {
  say "make test ${ARGS:+ARGS=\"$ARGS\" }as $name"
  # shellcheck disable=SC2016
  inside "$name" 'make test ARGS="$ARGS"' 2>&1 | tee "$root.test.log"
}

# Runs in a space of its own: what is mounted and started here goes when it ends.
try_as() {
  name=$1 root=$folder/$1 clone=/srv/product
  # The first process of a space hears only what it asks for.
  trap 'exit 130' INT TERM
  mount --make-rprivate /
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
  port=$(python3 -c 'import socket; door = socket.socket(); door.bind(("127.0.0.1", 0)); print(door.getsockname()[1])')
  rm -rf "${root:?}$clone"
  git -c advice.detachedHead=false clone --quiet --no-hardlinks "$repository" "$root$clone"
  chroot "$root" chown -R "$name:" "$clone"

  if [[ $name == root ]]; then
    run_product
  else
    # The first try may end with what to ask for; the second has to answer.
    run_product || true
    install_as_asked "$root.run.log"
    run_product
    inside "$name" 'scripts/system-packages.sh --for-tests' 2>&1 | tee "$root.asked.log"
    install_as_asked "$root.asked.log"
  fi
  run_tests
  say "Both commands work as $name"
}

if [[ ${1-} == --in-own-space ]]; then
  folder=$2 suite=$3
  try_as "$4"
  exit
fi

[[ $(id -u) -eq 0 ]] || fail "making a system needs root"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
# shellcheck disable=SC1091
suite=${SUITE:-$(. /etc/os-release && printf '%s' "${VERSION_CODENAME-}")}
folder=${BARE_FOLDER:-}
if [[ -z $folder ]]; then
  folder=$(mktemp --directory --tmpdir=/var/tmp bare-machine.XXXXXX)
  trap 'rm -rf --one-file-system "$folder"' EXIT
fi
mkdir -p "$folder"

[[ -d $folder/base ]] || make_base "$folder/base"
(($#)) || set -- root user
for whom in "$@"; do
  case $whom in
    root) name=root ;;
    user) name=builder ;;
    *) fail "as whom: root or user, not $whom" ;;
  esac
  rm -rf --one-file-system "${folder:?}/$name"
  cp --archive --reflink=auto "$folder/base" "$folder/$name"
  unshare --mount --pid --fork --kill-child "$0" --in-own-space "$folder" "$suite" "$name"
done
