# The assembled files of guests, dhcp-hosts and dns-hosts, of which the folders of these names below `var` are to hold one file for each fragment. What
# differs goes to the folder NAME.new, and its id to NAME.new in `run`; what is there (`run`/hosts.have: ls of both) and nobody has is listed in
# NAME.gone, whose text lost a word (an address) in NAME.less.
function list(kind, id) { print id >(run "/" dir kind) }
FNR == 1 { dir = FILENAME; sub(/.*\//, "", dir) }
/^# vpc6 / { file = dir "/" $3; text[file] = ""; next }
{ text[file] = text[file] $0 "\n" }
BEGIN {
  n = split("dhcp-hosts dns-hosts", dirs, " ")
  split(".new .gone .less", kinds, " ")
  for (i = 1; i <= n; i++) for (j = 1; j <= 3; j++) printf "" >(run "/" dirs[i] kinds[j])
}
END {
  while ((getline name <(run "/hosts.have")) > 0) {
    if (name ~ /:$/ && index(name, var "/") == 1) { dir = substr(name, length(var) + 2); sub(/:$/, "", dir); continue }
    if (name == "") continue
    file = dir "/" name
    if (!(file in text)) { list(".gone", name); continue }
    old = ""
    while ((getline line <(var "/" file)) > 0) old = old line "\n"
    close(var "/" file)
    if (old == text[file]) { delete text[file]; continue }
    words = text[file]; gsub(/[, \n]/, "\n", words); words = "\n" words
    count = split(old, word, /[, \n]/)
    for (i = 1; i <= count; i++) if (word[i] != "" && !index(words, "\n" word[i] "\n")) { list(".less", name); break }
  }
  for (file in text) {
    dir = id = file; sub(/\/.*/, "", dir); sub(/.*\//, "", id)
    to = var "/" dir ".new/" id
    printf "%s", text[file] >to
    close(to)
    list(".new", id)
  }
}
