# From `SLOT 0 ID`, in order, to a file for each slot: `from` and `to` are folders, `table` is what `macs` says, `used` gets what was used of it, `heads` is
# `SLOT|TEXT`. `boot`: a MAC that is not there is no error; else its fragment and itself are printed, and the exit status is 3.
BEGIN {
  while ((getline line <table) > 0) { split(line, mac, " "); name[mac[1]] = mac[2] }
  split(heads, part, "|"); head[part[1]] = part[2]
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
    out = out substr(text, 1, RSTART - 1) (found in secret ? secret[found] : found)
    text = substr(text, RSTART + RLENGTH)
  }
  return out text
}
{
  sub(/^\.\//, "", $1)
  file = to $1
  if (file != last) {
    if (last != "") close(last)
    last = file
    if ($1 in head) print head[$1] >file
  }
  print "# vpc6 " $3 >file
  source = from $1 "/" $3
  while ((getline line <source) > 0) {
    if (index(line, "@MAC_TOKEN@")) line = resolve(line)
    if (index(line, "{{")) line = fill(line, $3)
    print line >file
  }
  close(source)
}
