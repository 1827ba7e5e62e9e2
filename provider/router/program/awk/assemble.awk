# From `SLOT 0 ID`, in order, to a file for each slot: `from` and `to` are folders, `table` is what `macs` says, `used` gets what was used of it, `heads` is
# `SLOT|TEXT|SLOT|TEXT`, `needs` the same of what one line of a slot must match, or its file is left empty; `filled` gets the slots with
# placeholders of secrets. `boot`: a MAC that is not there is no error; else its fragment and itself are printed, and the exit status is 3. A secret that is
# not there likewise, with 4; at boot its fragment is left out. `aside`: fragments (`SLOT ID`) in whose place stands what
# was made of them before, in the folder `was`, of whose files `whole` names those that are as they were made. Where nothing is, they are left out,
# unless a third word (`soft`) stands there. `yields`: who stands back (rivals.sh).
BEGIN {
  while ((getline line <yields) > 0) { split(line, part, " "); stands_back[part[1]] = 1 }
  while ((getline line <aside) > 0) { n = split(line, part, " "); unused[part[1] "/" part[2]] = (n == 3) ? "soft" : "hard" }
  while ((getline line <whole) > 0) trusted[line] = 1
  while ((getline line <table) > 0) { split(line, mac, " "); name[mac[1]] = mac[2] }
  n = split(heads, part, "|"); for (i = 1; i < n; i += 2) head[part[i]] = part[i + 1]
  n = split(needs, part, "|"); for (i = 1; i < n; i += 2) need[part[i]] = part[i + 1]
  printf "" >filled
}
# Tokens stand alone: no letter or digit before or after.
function resolve(text,   out, found, after) {
  out = ""
  while (match(text, /@MAC_TOKENS@/)) {
    found = substr(text, RSTART, RLENGTH)
    after = substr(text, RSTART + RLENGTH, 1)
    out = out substr(text, 1, RSTART - 1)
    text = substr(text, RSTART + RLENGTH)
    if (out ~ /[A-Za-z0-9_-]$/ || after ~ /[A-Za-z0-9_]/) { out = out found; continue }
    if (!(found in name)) {
      if (!boot) { print $3, found; exit 3 }
      name[found] = "no" substr(found, length("@MAC_TOKEN@") + 1)
    }
    if (!(found in noted)) { noted[found] = 1; print found, name[found] >used }
    out = out name[found]
  }
  return out text
}
# secret[TOKEN] = text, of the resource ID.
function learn(id,   line, end, token, text) {
  for (token in secret) delete secret[token]
  while ((getline line <(from "secrets/" id)) > 0) {
    end = index(line, " "); token = substr(line, 1, end - 1)
    # (mawk makes what stands left of `=` before it looks at the right.)
    text = (token in secret) ? secret[token] "\n" : ""
    secret[token] = text substr(line, end + 1)
  }
  close(from "secrets/" id)
  learned = id
}
function fill(text, id,   out, found) {
  if (learned != id) learn(id)
  out = ""
  while (match(text, /@PLACEHOLDERS@/)) {
    found = substr(text, RSTART, RLENGTH)
    if (!(found in secret)) lost = found
    out = out substr(text, 1, RSTART - 1) secret[found]
    text = substr(text, RSTART + RLENGTH)
  }
  return out text
}
# Is there anything that was made of a fragment before? made[SLOT/ID] is it.
function before(slot, id,   line, of, part) {
  if (!(slot in read)) {
    read[slot] = 1
    while ((slot in trusted) && (getline line <(was slot)) > 0) {
      if (line ~ /^# vpc6 /) {
        split(line, part, " "); of = slot "/" part[3]
        # What a service adds comes later, under the same name.
        if (of in made) of = ""
        else made[of] = ""
      } else if (of != "") made[of] = made[of] line "\n"
    }
  }
  return (slot "/" id) in made
}
$3 in stands_back { next }
{
  sub(/^\.\//, "", $1)
  text = ""
  key = $1 "/" $3
  if ((key in unused) && before($1, $3)) text = made[key]
  else if (unused[key] == "hard") next
  else {
    source = from $1 "/" $3
    lost = ""
    while ((getline line <source) > 0) {
      if (index(line, "@MAC_TOKEN@")) line = resolve(line)
      if (index(line, "{{") && line ~ /@PLACEHOLDERS@/) {
        if (!(($1) in fills)) { fills[$1] = 1; print $1 >filled }
        line = fill(line, $3)
      }
      text = text line "\n"
    }
    close(source)
    if (lost != "") {
      print $3, lost
      if (!boot) exit 4
      next
    }
  }
  file = to $1
  if (file != last) {
    if (last != "") close(last)
    last = file
    if (head[$1] != "") print head[$1] >file
  }
  print "# vpc6 " $3 >file
  printf "%s", text >file
  if (need[$1] != "" && !met[$1]) { needy[$1] = 1; if (("\n" text) ~ ("\n" need[$1])) met[$1] = 1 }
}
END {
  if (last != "") close(last)
  for (slot in needy) if (!met[slot]) printf "" >(to slot)
}
