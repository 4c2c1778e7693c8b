#!/usr/bin/env bash
# Install missing system packages where that is allowed, name the command where it is not.
#   system-packages.sh                what drawing PDF files needs
#   system-packages.sh --for-tests    what tests need that a minimal system lacks: a browser, a connection pooler, …
#   system-packages.sh NAME ...       these
set -euo pipefail

wanted=("$@")
if [[ $# -eq 0 ]]; then
  wanted=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-inter fonts-dejavu-core
    fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji)
elif [[ $1 == --for-tests ]]; then
  wanted=()
  # Programs from elsewhere do as well.
  present() { PATH="$PATH:/usr/sbin" command -v "$@" >/dev/null; }
  present chromium || present chromium-browser || present google-chrome || wanted+=(chromium)
  present pgbouncer || wanted+=(pgbouncer)
  present ip || wanted+=(iproute2)
  # The Node that comes with Playwright needs it and no package asks for it.
  wanted+=(libatomic1)
fi

if ! command -v dpkg-query >/dev/null; then
  if [[ $# -eq 0 ]] && ! .venv/bin/python -c 'import weasyprint' >/dev/null 2>&1; then
    echo "note: PDF files need Pango 1.44 or later and HarfBuzz with its subset library: install them with this system's package manager." >&2
  fi
  exit 0
fi

missing=()
for name in "${wanted[@]}"; do
  status=$(dpkg-query --show --showformat '${db:Status-Status}' "$name" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$name")
done
((${#missing[@]})) || exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! sudo -n true >/dev/null 2>&1; then
    echo "note: some system packages are missing. Have an administrator run: apt-get update && apt-get install --yes --no-install-recommends ${missing[*]}" >&2
    exit 0
  fi
  as_root=(sudo -n)
fi

install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 \
    --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}" </dev/null >/dev/null 2>"$messages"
}

messages=$(mktemp)
trap 'rm -f "$messages"' EXIT
echo "Installing the system packages ${missing[*]} …" >&2
if ! install; then
  # Often only the list of packages is old or missing.
  "${as_root[@]}" apt-get update --quiet=2 </dev/null >/dev/null 2>&1 || true
  if ! install; then
    tail -n 3 "$messages" >&2
    echo "note: that did not work. Run it by hand: apt-get update && apt-get install --yes --no-install-recommends ${missing[*]}" >&2
  fi
fi
