# shellcheck shell=bash
# Sourced by the tests of the document: counts what is checked, and kills saves from outside. The program
# that they are about is the command in `document`.

passed=0 failed=0
check() {  # check "what it means" command...
  if "${@:2}"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $1 (${*:2})"
  fi
}
equal() { [[ $1 == "$2" ]] || { echo "got '$1', want '$2'"; false; }; }
below() { (($1 < $2)) || { echo "$1 is not below $2"; false; }; }
length_of() { stat -c %s "$1"; }
on_disk() { echo $(($(stat -c %b "$1") * 512)); }

# The save that the document is of; empty, and told, if it is not whole.
save_of() {
  "${document[@]}" check "$1" >checked 2>err || { cat err >&2; return 1; }
  sed -n 's/^save \([0-9]*\): [0-9]* parts, [0-9]* bytes, all as they were saved$/\1/p' checked
}

# Returns when a process has written so many bytes; false if it has ended before.
wait_for_bytes() {  # pid bytes
  local key written=0
  while ((written < $2)); do
    { while read -r key written && [[ $key != wchar: ]]; do :; done; } 2>/dev/null <"/proc/$1/io" || return 1
    [[ $key == wchar: ]] || return 1
  done
}

# Saves so many parts of the document again and again, and kills the program in the middle of it, each time
# when it has written more of its bytes than before, up to `most`, until that has happened so many times.
# `document` itself says each time whether the document is whole; a save is there if its line was printed.
kill_saves() {  # path parts most-bytes kills
  local round=0 kills=0 old=0 saver code save now
  save=$(save_of "$1")
  for ((round = 0; kills < $4 && round < 20 * $4; round++)); do
    "${document[@]}" save "$1" "$2" >said 2>err &
    saver=$!
    wait_for_bytes $saver $((1 + round % $4 * ($3 / $4)))
    kill -KILL $saver 2>/dev/null
    code=0
    { wait $saver; } 2>job || code=$?  # job: "Killed"
    ((code == 0 || code == 137)) || check "round $round: killed or ended well: $(cat err)" equal "$code" "0 or 137"
    now=$(save_of "$1")
    if [[ -s said ]]; then
      check "round $round: what was told as saved is there" equal "$now" $((save + 1))
    else
      kills=$((kills + 1))
      [[ $now != "$save" ]] || old=$((old + 1))
      [[ $now == "$save" ]] || check "round $round: the old document or the new one" equal "$now" $((save + 1))
    fi
    save=${now:-$save}
  done
  check "killed in the middle of saves" equal "$kills" "$4"
  check "some were found as before" below 0 "$old"
  echo "$kills of $round saves killed from outside: $old times the old document, $((kills - old)) times the new one"
}
