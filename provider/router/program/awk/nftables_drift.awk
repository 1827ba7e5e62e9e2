# diff(1) of two listings by nftables_lines, what is wanted first: lines `ID TEXT`. `file` is the assembled one, which says whose each line is.
function trim(text) { gsub(/^[ \t]+|[ \t]+$/, "", text); return text }
# nft takes the braces off a set of one and sorts the others: a rule is known by its words, whatever their order.
function words(text,   w, n, i, j, word, out) {
  gsub(/[{},]/, " ", text)
  n = split(text, w, " ")
  for (i = 2; i <= n; i++) { word = w[i]; for (j = i - 1; j >= 1 && w[j] > word; j--) w[j + 1] = w[j]; w[j + 1] = word }
  for (i = 1; i <= n; i++) out = out " " w[i]
  return out
}
BEGIN {
  while ((getline line <file) > 0) {
    line = trim(line); n = split(line, w, " ")
    if (line ~ /^# vpc6 /) { id = w[3]; continue }
    if (line ~ /^(chain|set|map) [^ ]+ \{/) {
      object = w[1] " " w[2]
      if (!(object in owner)) owner[object] = id
      if (line ~ /\}$/) said[object, words(substr(line, index(line, "{") + 1, length(line) - index(line, "{") - 1))] = id
    } else if (line ~ /^add rule @TABLE@ /) {
      rule = line; sub(/^add rule @TABLE@ [^ ]+ /, "", rule); said["chain " w[5], words(rule)] = id
    } else if (line ~ /^add element (inet|arp) vpc6[^ ]* /) {
      list = line; sub(/^[^{]*\{/, "", list); sub(/\}$/, "", list)
      n = split(list, e, ",")
      for (i = 1; i <= n; i++) element[w[5], trim(e[i])] = id
    } else said[object, words(line)] = id
  }
}
{ sign = substr($1, 1, 1); $1 = substr($1, 3) }
sign != "<" && sign != ">" { next }
$2 == "" { whole[$1] = sign }
{ lines++; signs[lines] = sign; objects[lines] = $1; texts[lines] = $2 }
END {
  for (i = 1; i <= lines; i++) {
    object = objects[i]; text = texts[i]; verb = signs[i] == "<" ? "removed" : "added"
    split(object, w, " ")
    if (text == "") print (object in owner ? owner[object] : "-"), object " " verb
    else if (object in whole) continue
    else if (text ~ /^element /) {
      sub(/^element /, "", text)
      print ((w[2], text) in element ? element[w[2], text] : object in owner ? owner[object] : "-"), "element " verb (verb == "added" ? " to " : " from ") object ", " text
    } else print ((object, words(text)) in said ? said[object, words(text)] : object in owner ? owner[object] : "-"), "rule " verb (verb == "added" ? " to " : " from ") object ", " text
  }
}
