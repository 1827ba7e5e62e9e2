# Rivals: two resources of one stack say what only one of them can have (an interface, an address, a port). Pulumi makes and changes before it
# deletes, in an order of its own. So who asks now has it, and the other stands back, with all it has, until it is asked for otherwise or
# goes, or the one that it stands back for lets go. Whether it is to be asked for otherwise, or to go, knows the provider: it is asked first.
#
#   GENERATION/yields   `ID TO` for each that stands back: `assemble` leaves it out
#   RUN/rivals          `ID OTHER` for each two that a service's check has found

# rivals_kept IDS: NEXT/yields, those of before but for what concerns the IDS (a file of them).
rivals_kept() {
  [ -s "$CONFIRMED/yields" ] || return 0
  awk -v ids="$1" 'BEGIN { while ((getline id <ids) > 0) said[id] = 1 } !($1 in said) && !($2 in said)' "$CONFIRMED/yields" >"$NEXT/yields"
  [ -s "$NEXT/yields" ] || rm -f "$NEXT/yields"
}

# rivals_yield: those that do not ask now stand back. 1 where that cannot be (both ask now, or they are two stacks'), or where it is not known
# of one that it may.
rivals_yield() {
  [ -s "$RUN/rivals" ] || return 1
  awk -v ids="$PAYLOAD.ids" -v before="$CONFIRMED/yields" -v made="$NEXT/fragments/made/" '@rivals.awk@' "$RUN/rivals" >"$RUN/yields" || {
    WHY="$WHY$(sed -n 's/^!/; /p' "$RUN/yields")"
    return 1
  }
  rivals_back
}

# rivals_back: those in RUN/yields, if the payload says that they may. Else 1, and it is asked: VERDICT.
rivals_back() {
  local id to
  while read -r id to; do
    grep -qsxF -e "$id" "$PAYLOAD.yields" || { VERDICT=rivals; return 1; }
  done <"$RUN/yields"
  cat "$RUN/yields" >>"$NEXT/yields"
}

# rivals_tell: who does not stand back yet, for the person who waits.
rivals_tell() {
  local id to
  [ -s "$NEXT/yields" ] || return 0
  while read -r id to; do
    grep -qsxF -e "$id $to" "$CONFIRMED/yields" || say "$id stands back for $to, which asks for the same"
  done <"$NEXT/yields"
}

# rivals_drift GENERATION: lines `ID TEXT`.
rivals_drift() {
  [ ! -s "$1/yields" ] || sed 's/ / stands back for /' "$1/yields"
}
