#!/bin/sh
# vpc6 on a router: takes what Pulumi resources have to say about this host (fragments, as data on stdin), has every daemon
# validate it, switches atomically, checks health, and puts everything back when anything fails. Written by vpc6, replaced by
# it, and removed together with all it did by the `destroy` of the router. POSIX sh (dash), awk (mawk), coreutils, flock,
# systemd; no other language, but for the server of passwords, which is Perl (perl-base is essential in Debian).
#
# Verbs: converge HASH CLIENT, confirm N, observe, uninstall ID; from units: boot [firewall], down, rollback N, leases, guard [wait], watch, heal [rules | links], tayga DEV.

set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
# sudo makes `unknown` of none, of which nft's own prompt complains among what it lists.
unset TERM
umask 022

PROGRAM_HASH=@HASH@
# Of generations; one that a later vpc6 made may have another.
FORMAT=@FORMAT@
# Everything of this host that is looked at or written is below ROOT. Tests have a folder of their own there.
ROOT=
PROC=$ROOT/proc
SYSCTL=$PROC/sys
LINKS=$ROOT/sys/class/net
PROGRAM=$ROOT@PROGRAM@
ETC=$ROOT@ETC@
GENERATIONS=$ETC/generations
VAR=$ROOT@VAR@
RUN=$ROOT@RUN@
UNITS=$ROOT/etc/systemd/system
UNITS_UNTIL_BOOT=$ROOT/run/systemd/system
UDEV=$ROOT/run/udev

# In the order in which a change is applied. (What stands between two @ in this program's parts is in provider/contract.ts.) Each is a file in services/ with
#   NAME_slots             the slots its fragments are in
#   NAME_head              with what its file begins where it has any fragment. May be missing
#   NAME_needs             what one of its lines must match: without, its file is empty. May be missing
#   NAME_daemons           the units that its drift looks at. May be missing
#   NAME_assemble FILES    what is particular to it in assembling FILES/<slot>
#   NAME_check FILES       the daemon's own judgement, nothing changed
#   NAME_apply FILES       makes the host what FILES say, whatever it is now
#   NAME_health FILES      is it so?
#   NAME_drift FILES       what is live and not as FILES say, or live and nobody's: lines `ID TEXT` (see drift.sh). May be missing
#   NAME_remove            as it was found
#   NAME_unit              the text of vpc6-NAME.service, if it needs one (NAME_template=@: of vpc6-NAME@.service)
# RUN/NAME.again: what another service did makes it necessary to apply NAME, though its files are what they were.
SERVICES="@SERVICES@"

# Of systems, those that were tested; of each kind the oldest first.
RELEASES="@RELEASES@"

# How long (seconds) a transaction waits for another one, and how long an unconfirmed one is kept (a payload may say).
LOCK_WAIT=60
CONFIRM_WAIT=@CONFIRM_WAIT@
CONFIRM_MOST=@CONFIRM_MOST@

# Variables of a function are its own (`local`: dash has it), in small letters. Those in capitals are everybody's. Beside those
# that begin here, some are what a function tells its callers:
#   NOW                       `now`
#   HOLDER                    `holder`
#   PENDING, PENDING_*        `pending`, `arm`
#   PAYLOAD, FRESH, PAYLOAD_HOLDER   `converge`, `read_payload`
#   CONFIRMED, LIVE, NEXT     directories of generations: `generations`, `stage`
#   DIFFERENT                 `differences`
#   ROUTE, ROUTE_BEFORE       `network_route_to`; what it was before a change
#   MTU_BEFORE                `network_mtu_before`
#   TAYGA_MTU, DEVICE_MTU     `tayga_mtu`, `tayga_fits`
#   DRIFT_SECRET, DRIFT_CHANGED   `drifts`, for what a service's `drift` looks up
#   DRIFT_UNITS, UNIT_*       `drift_ask`, `drift_unit`
#   NUMBER                    `generation`
#   RELEASE, RELEASE_NAME     `release`
#   ROUTER                    `router_in`
#   STACK                     `stack_of`
#   FORMER                    `strangers`, for `stage`
#   VERDICT                   `rivals_back`: what `stage` answers when it is refused
#   FRR_DAEMONS               `frr_found`, for `frr_reload`
#   LOCK_TOLD, FREED, FREED_AT    what was said, or done, a moment ago: `lock_tell`, `leases_free`
#   BOOTING                   set while a router boots (and in `heal_moved`)
#   HEALING                   set in `network_heal`
#   MADE                      VLANs that `vlans_up` has made just now
# Of slots, heads and suffixes, which are constants, the names are the service's: NAME_slots.

NEWLINE='
'

# Whether the payload asks for what drifted to be applied again.
REPAIR=

# What the answer will say. Functions that refuse something set WHY (in the daemon's own words) and BLAME (a fragment's id): see `refuse`.
TOUCHED=no
CHANGED=
CULPRIT=
BLAME=
WHY=

ANSWERED=

# By which a transaction that is sent twice is known again, and the client's address.
NONCE=none
CLIENT=

# Progress, for the person who waits. The other end may be gone: that is no reason to stop.
say() {
  echo "@SAYS@$*" >&2
}

# warn TEXT: what the person who waits is to find when all is over. Who hears it says it once a run.
warn() {
  echo "@WARNS@$*" >&2
}

# say_why [PREFIX]: WHY, where nobody waits but the journal. Daemons quote the line they do not like, and what is in it.
say_why() {
  say "${1:-}$(printf '%s\n' "$WHY" | conceal)"
}

# refuse WHY [ID]: 1, and the answer will say WHY, about the fragment ID (else about the one that is blamed already, if any).
refuse() {
  WHY=$1
  [ $# = 1 ] || BLAME=$2
  return 1
}

# judged STATUS TEXT: refuses when a judge has said anything (the id on a line of its own, then why), or broke off (STATUS).
judged() {
  [ "$1" = 0 ] || refuse "a check broke off with $1: ${2:-is a disk full?}" || return
  [ -z "$2" ] || refuse "${2#*"$NEWLINE"}" "${2%%"$NEWLINE"*}"
}

# check_with FILE LINE COMMAND...: has COMMAND judge FILE. What it says becomes WHY, with names in place of paths; the regular
# expression LINE finds the line number in it, and that the fragment.
check_with() {
  local file="$1" line="$2"
  shift 2
  "$@" "$file" >"$RUN/check.out" 2>&1 && return 0
  WHY=$(sed "s|${file%/*}/||g" "$RUN/check.out")
  line=$(printf '%s\n' "$WHY" | sed -n "s/$line/\1/p" | head -n 1)
  [ -z "$line" ] || blame "$file" "$line"
  return 1
}

# answer VERDICT [WORD...]: the last thing a verb prints.
answer() {
  ANSWERED=yes
  {
    echo "@ANSWER@"
    echo "$*"
    echo "touched $TOUCHED"
    echo "changed $CHANGED"
    [ -z "$CULPRIT" ] || echo "service $CULPRIT"
    [ -z "$BLAME" ] || echo "id $BLAME"
    [ "$1" != rivals ] || sed 's/^/yields /' "$RUN/yields"
    [ -z "$WHY" ] || printf '%s\n' "$WHY" | conceal | head -n 60 | cut -c 1-400 | sed 's/^/|/'
    echo end
  } 2>/dev/null
  case $1 in ok | unconfirmed) return 0 ;; *) return 1 ;; esac
}

# conceal: stdin with a placeholder in the place of every secret of this host; daemons quote the line they do not like.
conceal() {
  local secrets=''
  set -- "$GENERATIONS"/*/fragments/secrets/*
  [ ! -e "$1" ] || secrets="find $GENERATIONS/*/fragments/secrets -type f -exec cat {} + 2>/dev/null"
  awk -v secrets="$secrets" '@conceal.awk@'
}

# Payloads pass through RUN: nobody else reads there.
run_dir() {
  [ -d "$RUN" ] || mkdir -m 700 "$RUN" 2>/dev/null || [ -d "$RUN" ]
}

# Seconds since boot: no fork, and it does not jump.
now() {
  read -r NOW _ <"$PROC/uptime"
  NOW=${NOW%.*}
}

# has WORD LIST...
has() {
  local word="$1" item
  shift
  for item in "$@"; do
    [ "$item" = "$word" ] && return 0
  done
  return 1
}

# has_any "LIST" WORD...: is one of these in the list?
has_any() {
  local list="$1" item
  shift
  for item in "$@"; do
    case " $list " in *" $item "*) return 0 ;; esac
  done
  return 1
}

# router_in FRAGMENTS: ROUTER = the id of the Router that is there (of two the one that does not stand back), else `router`.
router_in() {
  local file
  ROUTER=router
  for file in "$1"/*/@ROUTER_ID@*; do
    [ -e "$file" ] || continue
    grep -qs -e "^${file##*/} " "$1/../yields" || ROUTER=${file##*/}
  done
}

# adopt_how FILES: how the operator says that ours may take the place of what is here.
adopt_how() {
  router_in "${1%/files}/fragments"
  case $ROUTER in @ROUTER_ID@*) ROUTER=${ROUTER#@ROUTER_ID@} ;; *) ROUTER=... ;; esac
  echo "write \`adopt: true\` among the arguments of the Router: new vpc6.Router(\"$ROUTER\", { ..., adopt: true })"
}

# What the program cannot work without, with what to do about it.
require() {
  local missing tool
  # Root is who the root directory belongs to: no fork.
  [ -O "$ROOT/" ] || refuse "not root: the user needs sudo without a password for $PROGRAM" || return
  missing=
  for tool in awk flock systemctl systemd-run apt-get dpkg-query ip sync; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
  done
  [ -d "$UNITS_UNTIL_BOOT" ] || missing="$missing systemd(running)"
  [ -z "$missing" ] || refuse "not found on this host:$missing
vpc6 needs @RELEASES_TOLD@ with systemd; packages mawk, util-linux, iproute2, coreutils" || return
}

# release: RELEASE, RELEASE_NAME = what this host calls itself, as os-release(5) has it: `debian/12`, and for people.
release() {
  local file id='' key name='' value version=''
  RELEASE='' RELEASE_NAME=''
  for file in "$ROOT/etc/os-release" "$ROOT/usr/lib/os-release"; do
    [ -r "$file" ] || continue
    while IFS='=' read -r key value; do
      value=${value#[\"\']}
      value=${value%[\"\']}
      case $key in
        ID) id=$value ;;
        VERSION_ID) version=$value ;;
        PRETTY_NAME) name=$value ;;
      esac
    done <"$file"
    break
  done
  RELEASE=$id/$version
  RELEASE_NAME=${name:-$id${version:+ $version}}
  # Whose words these are nobody knows.
  case $RELEASE_NAME in *[![:print:]]*) RELEASE_NAME=$(printf '%s' "$RELEASE_NAME" | tr -d '\000-\037\177') ;; esac
  : "${RELEASE_NAME:=an unknown system (it has no /etc/os-release)}"
}

# release_old RELEASE: is it from before the oldest of its kind that was tested? What has no such number is not.
release_old() {
  local oldest
  for oldest in $RELEASES; do
    [ "${oldest%%/*}" = "${1%%/*}" ] || continue
    version_before "${1#*/}" "${oldest#*/}"
    return
  done
  return 1
}

# version_before A B: numbers with a point in them, or without.
version_before() {
  local major minor
  case $1 in '' | *[!0-9.]* | *.*.* | .* | *. | ?????????*) return 1 ;; esac
  major=${1%%.*} minor=0
  case $1 in *.*) minor=${1#*.} ;; esac
  [ "$major" -eq "${2%%.*}" ] || { [ "$major" -lt "${2%%.*}" ]; return; }
  case $2 in *.*) [ "$minor" -lt "${2#*.}" ] ;; *) return 1 ;; esac
}

# release_suits: warns of one that was not tested. 1 with WHY when it is too old and nothing of ours is there yet; what is there can be
# changed, and taken away.
release_suits() {
  release
  # shellcheck disable=SC2086 # a list of words
  ! has "$RELEASE" $RELEASES || return 0
  if ! release_old "$RELEASE"; then
    warn "vpc6 was not tested on ${RELEASE_NAME}, only on @RELEASES_TOLD@: try there what you rely on"
  elif [ -e "$ETC/confirmed" ]; then
    warn "$RELEASE_NAME is too old for vpc6, which needs @RELEASES_TOLD@: upgrade this host"
  else
    refuse "its system is too old: $RELEASE_NAME
vpc6 needs @RELEASES_TOLD@: upgrade this host, or take another"
  fi
}
