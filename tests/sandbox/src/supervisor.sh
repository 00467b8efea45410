# Owns a temporary directory and the processes that work in it, for as long as somebody holds the other end of this
# script's standard input. A pipe is closed by the kernel however its holder ends, even by SIGKILL, and statics of a
# Rust test binary are never dropped: nothing else would notice every end.
#
# Reads lines: the name of a script NAME.sh in the directory. Runs it with NAME.log as its output, writes its process
# id to NAME.pid and, once it is over, its exit code to NAME.exit.
# Signals that are meant for a whole group or session must not keep it from clearing up, nor may a holder that is gone
# before it has read where the directory is. The servers are ended by KILL.
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
    # The id must be known before the end of the input can be seen, or the process would be missed.
    until [ -e "$directory/$name.pid" ]; do sleep 0.01; done
done
# There is nothing to save, so there is nothing to wait for: a server asked politely takes up to a minute.
for file in "$directory"/*.pid; do
    [ -e "$file" ] || continue
    pid=$(cat "$file")
    # A program that leads a group of its own has started others in it.
    kill -KILL "$pid" 2>/dev/null
    kill -KILL -- "-$pid" 2>/dev/null
done
wait
rm -rf "$directory"
