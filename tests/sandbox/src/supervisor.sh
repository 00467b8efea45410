# Owns a temporary directory and its processes until the other end of this script's standard input is closed. The kernel
# closes a pipe however its owner ends, even by SIGKILL. A Rust test binary never drops its statics, so nothing else
# detects every end.
#
# Reads names of scripts NAME.sh in the directory, one per line. Runs each with NAME.log as its output, writes its process
# ID to NAME.pid and, after its end, its exit code to NAME.exit.
# Signals to a whole group or session must not prevent the cleanup, and neither must an owner that ends before it has
# read the directory's path. SIGKILL ends the servers.
trap '' INT HUP TERM PIPE
directory=$(mktemp -d "${TMPDIR:-/tmp}/ess-mas-sandbox.XXXXXX") || exit 1
printf '%s\n' "$directory"
while read -r name; do
    (
        sh "$directory/$name.sh" >"$directory/$name.log" 2>&1 </dev/null &
        printf '%s\n' "$!" >"$directory/$name.pid.new"
        mv "$directory/$name.pid.new" "$directory/$name.pid"
        wait "$!"
        printf '%s\n' "$?" >"$directory/$name.exit"
    ) &
    # The ID must be written before the end of the input is read; otherwise the process is missed.
    until [ -e "$directory/$name.pid" ]; do sleep 0.01; done
done
# No data needs saving, so don't wait: a regular shutdown takes up to a minute.
for file in "$directory"/*.pid; do
    [ -e "$file" ] || continue
    pid=$(cat "$file")
    # A group leader has started other processes in its group.
    kill -KILL "$pid" 2>/dev/null
    kill -KILL -- "-$pid" 2>/dev/null
done
# The programs that the owner started itself; a killed owner doesn't end them. An owner that dropped only this directory still
# has its executable.
if [ ! -e "/proc/${1#for-process-}/exe" ]; then
    grep -lsxzF -e "ESS_MAS_SANDBOX_OWNER=$1" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do
        kill -KILL "$pid"
    done
fi
wait
rm -rf "$directory"
