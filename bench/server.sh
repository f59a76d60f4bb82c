# For the benches, which source it: builds and installs the extension, starts a throwaway server and removes it in the end.
#
# start_server 'settings of the server': then $dir is a directory for figures, "${psql[@]}" a psql on the server.
# median NAME: of the numbers in $dir/NAME, one a line.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

start_server() {
	PG_CONFIG=$(command -v "${PG_CONFIG:-pg_config}")
	export PG_CONFIG
	make --no-print-directory -s PG_CONFIG="$PG_CONFIG" all >/dev/null
	local install=(make --no-print-directory -s PG_CONFIG="$PG_CONFIG" install)
	if [ -w "$("$PG_CONFIG" --pkglibdir)" ]; then "${install[@]}" >/dev/null; else sudo "${install[@]}" >/dev/null; fi

	dir=$(mktemp -d "${TMPDIR:-/tmp}/am_bench.XXXXXX")
	chmod 755 "$dir"
	trap 'test/cluster remove "$dir/cluster"; rm -rf -- "$dir"' EXIT
	PGHOST=$(test/cluster start "$dir/cluster" -o "$1")
	export PGHOST PGPORT=5432 PGUSER=postgres
	psql=("$("$PG_CONFIG" --bindir)/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d postgres)
	"${psql[@]}" -c 'CREATE EXTENSION activity_metrics'
}

median() { sort -n "$dir/$1" | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
