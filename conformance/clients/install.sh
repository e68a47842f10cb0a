#!/usr/bin/env bash
# Installs the pinned clients that conformance drives under .cache/clients: each
# Python one into a virtual environment of its own, those of a Node together with
# that Node, those of Java together. Each is named after the files that pin it and
# their digest: a changed pin is another installation. One is built under another
# name and moved when it is complete, so that an interrupted installation is done
# again.
#
# A virtual environment that was moved runs as bin/python -m MODULE; the scripts
# beside it name the place where they were installed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=$root/.cache/clients

# What the clients run on, what the stories in a network namespace need (ip,
# nsenter), and the browser that users sign in with: program and Debian package.
# Root installs what is missing.
missing=()
while read -r program package; do
	command -v "$program" >/dev/null || missing+=("$package")
done <<-END
	python3 python3
	node nodejs
	npm npm
	javac default-jdk-headless
	mvn maven
	curl curl
	jq jq
	ip iproute2
	nsenter util-linux
	chromium chromium
END
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
compgen -G '/usr/share/fonts/*/noto/NotoSansCJK*' >/dev/null || missing+=(fonts-noto-cjk) # of the Japanese pages
if [ ${#missing[@]} -gt 0 ]; then
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "install.sh: these are needed (Debian, Ubuntu: apt install ${missing[*]})" >&2
		exit 1
	fi
	apt-get update -qq
	apt-get install -qq -y "${missing[@]}"
fi

into_python() { # DIRECTORY REQUIREMENTS
	python3 -m venv "$1"
	"$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile --requirement "$2"
	"$1/bin/python" -m pip check --quiet --disable-pip-version-check
}

into_node() { # DIRECTORY package.json package-lock.json
	cp "$2" "$3" "$1"
	(cd "$1" && npm ci --loglevel=error --ignore-scripts --no-audit --no-fund)
}

into_java() { # DIRECTORY pom.xml
	mvn --batch-mode --quiet --file "$2" \
		org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$1/lib"
}

# pinned HOW NAME FILE... installs what the files pin, unless it is there.
pinned() {
	local how=$1 name=$2
	shift 2
	local target partial
	target=$cache/$name-$(cat "$@" | sha256sum | cut -c1-12)
	if [ -d "$target" ] && { [ "$how" != into_python ] || [ -x "$target/bin/python" ]; }; then
		return
	fi
	echo "installing $name into $target"
	partial=$(mktemp -d "$cache/.partial-$name-XXXXXX")
	trap "rm -rf '$partial'" EXIT
	"$how" "$partial" "$@"
	rm -rf "$target" # one whose interpreter is gone
	# Another installation of the same may have been quicker: its work is as good.
	mv -T "$partial" "$target" 2>/dev/null || [ -d "$target" ]
	rm -rf "$partial"
	trap - EXIT
}

mkdir -p "$cache"
find "$cache" -maxdepth 1 -name '.partial-*' -mmin +120 -exec rm -rf {} + # of one that was killed
# All at once: most of it is waiting for the network.
jobs=()
for requirements in "$here"/*.txt; do
	pinned into_python "$(basename "$requirements" .txt)" "$requirements" &
	jobs+=($!)
done
for packages in "$here"/js-*; do # each with the Node that it needs
	pinned into_node "$(basename "$packages")" "$packages/package.json" "$packages/package-lock.json" &
	jobs+=($!)
done
pinned into_java java "$here/java/pom.xml" &
jobs+=($!)
failed=0
for job in "${jobs[@]}"; do
	wait "$job" || failed=1
done
exit $failed
