#!/usr/bin/env bash
# Installs the pinned Python clients that conformance drives, each into a virtual
# environment of its own under .cache/clients, named after its requirement file
# and that file's digest: a changed pin is another environment. An environment
# is built under another name and moved when it is complete, so that an
# interrupted installation is done again.
#
# A virtual environment that was moved runs as bin/python -m MODULE; the scripts
# beside it name the place where they were installed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=$root/.cache/clients

if ! command -v python3 >/dev/null || ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
	echo "install.sh: python3 with venv is needed (Debian, Ubuntu: apt install python3-venv)" >&2
	exit 1
fi

# The stories in a network namespace need ip and nsenter.
if ! command -v ip >/dev/null || ! command -v nsenter >/dev/null; then
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "install.sh: iproute2 and util-linux are needed" >&2
		exit 1
	fi
	apt-get update -qq && apt-get install -qq -y iproute2 util-linux
fi

mkdir -p "$cache"
find "$cache" -maxdepth 1 -name '.partial-*' -mmin +120 -exec rm -rf {} + # of one that was killed
for requirements in "$here"/*.txt; do
	name=$(basename "$requirements" .txt)
	digest=$(python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest()[:12])' "$requirements")
	venv=$cache/$name-$digest
	if [ -x "$venv/bin/python" ]; then
		continue
	fi
	echo "installing $name into $venv"
	partial=$(mktemp -d "$cache/.partial-$name-XXXXXX")
	trap 'rm -rf "$partial"' EXIT
	python3 -m venv "$partial"
	"$partial/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
	"$partial/bin/python" -m pip check --quiet --disable-pip-version-check
	rm -rf "$venv" # one whose interpreter is gone
	# Another installation of the same may have been quicker: its work is as good.
	mv -T "$partial" "$venv" 2>/dev/null || [ -x "$venv/bin/python" ]
	rm -rf "$partial"
	trap - EXIT
done
