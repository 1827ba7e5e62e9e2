# The payload: all of it is read before anything is looked at, its form is checked to the last line, and what was staged from
# it is compared with it once more (a full disk shows itself in many ways).

# read_payload FILE: stdin to FILE; the ids it names to FILE.ids; those that go only if they are the ones that were made then, each with that
# word, to FILE.drops; those that may stand back (rivals.sh) to FILE.yields. 1 with WHY when it is not whole. Else NONCE, CONFIRM_WAIT, REPAIR, FRESH and PAYLOAD_HOLDER are what it says: all at
# once, as each fork costs a millisecond or two.
read_payload() {
  local says
  if ! cat >"$1" 2>"$1.err"; then
    WHY=$(cat "$1.err")
    : "${WHY:=the payload could not be stored}"
    return 1
  fi
  says=$(awk -v slots=" $SLOTS " -v nonce="$NONCE" -v wait="$CONFIRM_WAIT" -v ids="$1.ids" -v drops="$1.drops" -v yields="$1.yields" '@read_payload.awk@' "$1") || {
    refuse "${says:-the payload could not be read}"
    return
  }
  # What it does not say is empty, and the last of it not even a line.
  { read -r NONCE; read -r CONFIRM_WAIT; read -r REPAIR; read -r FRESH; read -r PAYLOAD_HOLDER; true; } <<END
$says
END
}

# stage_payload FILE DIR: applies it to DIR/<slot>/<id>. Files are hard links into older generations: never written, replaced.
stage_payload() {
  local id slot
  for slot in $SLOTS; do
    [ -d "$2/$slot" ] || mkdir -p "$2/$slot" || return 1
  done
  # In every slot that is there: a later version may have more than this one knows.
  while read -r id; do
    for slot in "$2"/*; do [ ! -e "$slot/$id" ] || echo "$slot/$id"; done
  done <"$1.ids" >"$1.old"
  [ ! -s "$1.old" ] || xargs rm -f -- <"$1.old" || return 1
  awk -v dir="$2" -v payload="$1" '@stage_payload.awk@' "$1"
}

# made_anew DIR ID MADE: is there one of this id that was made at another time than MADE? The engine makes a replacement first, and then
# has the old one deleted, of which nothing is there any more.
made_anew() {
  local there='' rest
  [ ! -e "$1/made/$2" ] || read -r there rest <"$1/made/$2"
  [ -n "$there" ] && [ "$there" != "$3" ]
}

# replaced FILE DIR: what FILE drops and was made anew since stays: FILE.ids does not name it any more.
replaced() {
  local id made
  while read -r id made; do
    ! made_anew "$2" "$id" "$made" || echo "$id"
  done <"$1.drops" >"$1.stay"
  [ -s "$1.stay" ] || return 0
  grep -vxF -f "$1.stay" "$1.ids" >"$1.left"
  mv "$1.left" "$1.ids"
}

# stack_of DIR ID: STACK = whose it is; empty where that is not known, or where there is none.
stack_of() {
  local made
  STACK=
  [ ! -e "$1/made/$2" ] || read -r made STACK <"$1/made/$2"
}

# strangers FILE DIR: what FILE makes for the first time and is in DIR all the same must be the same stack's: else 1 with WHY and
# BLAME. Two stacks would take turns at it, and the one that goes first would take it from the other. Nor are there two routers, but for one
# stack's that takes the place of another: FORMER = both.
strangers() {
  local id owner slot there
  [ -n "$FRESH" ] || return 0
  awk '
    function done() { if (fresh) print id, owner; fresh = 0; owner = "" }
    $1 == "set" || $1 == "drop" { done(); id = $2; slot = "" }
    $0 == "fresh" { fresh = 1 }
    $1 == "slot" { slot = $2 }
    /^\|/ { if (slot == "made") owner = $2 }
    END { done() }
  ' "$1" >"$RUN/strangers"
  while read -r id owner; do
    there=
    case $id in
      @ROUTER_ID@*)
        router_in "$2"
        [ "$ROUTER" = router ] || there=$ROUTER
        ;;
      *)
        for slot in $SLOTS; do
          [ ! -e "$2/$slot/$id" ] || there=$id
        done
        ;;
    esac
    [ -n "$there" ] || continue
    stack_of "$2" "$there"
    if [ "$there" != "$id" ] && [ -n "$STACK" ] && [ "$STACK" = "$owner" ]; then
      # The Router is called otherwise now: the one of before stands back until it is deleted.
      FORMER="$there $id"
      refuse "$there is on this router already" "$id"
      continue
    fi
    if [ "$there" = "$id" ] && [ "$STACK" = "$owner" ]; then
      # Made once more: whatever differs from it on this router is put right.
      REPAIR=repair
      continue
    fi
    refuse "$there is on this router already, put there by ${STACK:+stack }${STACK:-another stack}" "$id"
    return
  done <"$RUN/strangers"
}

# show_fragments DIR: every fragment below DIR but the secrets, in the form of a payload.
show_fragments() {
  (cd "$1" 2>/dev/null && find . -mindepth 2 -type f ! -path './secrets/*' -printf '%f %P\n') | sort | awk -v dir="$1" '
    BEGIN { print "@TRANSACTION@"; lines = 1 }
    {
      if ($1 != id) { id = $1; print "set " id; lines++ }
      slot = $2; sub(/\/.*/, "", slot)
      print "slot " slot; lines++
      file = dir "/" $2
      while ((getline line <file) > 0) { print "|" line; lines++ }
      close(file)
    }
    END { print "end " lines }
  '
}
