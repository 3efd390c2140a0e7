import { clauses } from '../../scenario/clauses/index.js';

const functions = Object.values(clauses)
  .flatMap((clause) => clause.functions?.trim() ?? [])
  .join('\n\n');

/** The functions that a repro.sh stands on: POSIX sh with nothing but busybox. */
export const PRELUDE = `
D=/sys/bus/cxl/devices
M=/sys/devices/system/memory
TMP=$(mktemp -d) || exit 2
trap 'rm -rf "$TMP"' EXIT
trap 'exit 130' INT TERM
exec 3>&1
STEP= ERRNO= NAMES=

fail() {
	echo "FAIL step $STEP: $*" >&3
	exit 1
}

step() {
	STEP=$1
	echo
	echo "== step $1: $2"
}

# memdev SERIAL WAS ENDPOINT: the scenario's guest called the device with that serial number WAS, and its endpoint
# ENDPOINT. Numbers follow the order of probing, so this guest may call them otherwise.
memdev() {
	is= isep=
	for m in $D/mem*; do
		[ "$(($(cat "$m/serial" 2>/dev/null)))" = "$1" ] && is=\${m##*/}
	done
	[ -n "$is" ] || { echo "this guest has no memdev with serial number $1: boot the machine of qemu.sh" >&2; exit 2; }
	for e in $D/endpoint*; do
		[ "$(basename "$(readlink -f "$e/uport")")" = "$is" ] && isep=\${e##*/endpoint}
	done
	[ "$is" = "$2" ] && [ "endpoint$isep" = "$3" ] && return
	echo "# what was $2 ($3) is $is (endpoint$isep) here"
	was=\${3#endpoint}
	NAMES="$NAMES;s/\\\\<$2\\\\>/&@@/g;s/$2@@/@\${is#mem}@mem/g"
	NAMES="$NAMES;s/\\\\<endpoint$was\\\\>/@$isep@endpoint/g;s/\\\\<decoder$was\\\\.\\\\([0-9]\\\\)/@$isep@decoder.\\\\1/g"
}

# the text with the names of this guest in it
here() {
	if [ -z "$NAMES" ]; then
		printf '%s' "$1"
	else
		printf '%s' "$1" | sed "\${NAMES#;};s/@\\\\([0-9]*\\\\)@\\\\(mem\\\\|endpoint\\\\|decoder\\\\)/\\\\2\\\\1/g"
	fi
}

# type_line EXPECTED TEXT: types the text. EXPECTED: ok; any; failed; exit N...; names of errno, or ok and such names,
# with | between
type_line() {
	text=$(here "$2")
	printf '# %s\\n' "$text"
	(command eval "$text") </dev/null >"$TMP/out" 2>"$TMP/err"
	status=$?
	cat "$TMP/out" "$TMP/err"
	case $1 in
	any) ;;
	ok) [ $status = 0 ] || fail "refused: $(tail -n 1 "$TMP/err") (exit $status)" ;;
	failed) [ $status != 0 ] || fail "must fail, and succeeded" ;;
	'exit '*)
		case " \${1#exit } " in
		*" $status "*) ;;
		*) fail "exit $status instead of \${1#exit }" ;;
		esac
		;;
	'ok|'*)
		[ $status = 0 ] || errno_among "\${1#ok|}" || fail "may fail with \${1#ok|}, and failed otherwise: $(tail -n 1 "$TMP/err")"
		;;
	*)
		[ $status != 0 ] || fail "must fail with $1, and succeeded"
		errno_among "$1" || fail "must fail with $1, and failed otherwise: $(tail -n 1 "$TMP/err")"
		;;
	esac
}

errno_among() {
	for name in $(echo "$1" | tr '|' ' '); do
		errno_text "$name"
		grep -qE "$ERRNO" "$TMP/err" && return 0
	done
	return 1
}

# printed WANT: the last line's output, trimmed, is this
printed() {
	want=$(here "$1")
	got=$(cat "$TMP/out")
	[ "$(echo $got)" = "$(echo $want)" ] || fail "printed '$got' instead of '$want'"
}

# printed_like STREAM REGEXP
printed_like() {
	grep -qE "$2" "$TMP/$1" || fail "$1 does not match $2: $(cat "$TMP/$1")"
}

# within SECONDS WHAT WANT COMMAND: what the command prints becomes one of WANT (| between)
within() {
	want=$(here "$3")
	command=$(here "$4")
	tries=$(($1 * 10))
	while :; do
		got=$(eval "$command" 2>/dev/null)
		case "|$want|" in
		*"|$got|"*)
			echo "ok: $2 is $got"
			return
			;;
		esac
		[ $tries -gt 0 ] || fail "$2: expected $want, received \${got:-nothing}"
		tries=$((tries - 1))
		sleep 0.1
	done
}

exists() { [ -e "$1" ] && echo yes || echo no; }

# a number in decimal, however the file writes it
number() {
	read=$(cat "$1") && echo $((read))
}

# driver_of BUS DEVICE
driver_of() {
	if [ -e "/sys/bus/$1/devices/$2/driver" ]; then
		basename "$(readlink -f "/sys/bus/$1/devices/$2/driver")"
	elif [ -e "/sys/bus/$1/devices/$2" ]; then
		echo none
	fi
}

${functions}
complaints() {
	dmesg | grep -cE 'BUG:|WARNING:|Oops|KASAN|KCSAN|UBSAN|general protection|blocked for more than|stall|soft lockup|possible (circular|recursive) locking'
}
`.trim();
