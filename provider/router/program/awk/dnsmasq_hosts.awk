# An assembled file of guests, of which `dir` is to hold one file for each fragment: what differs goes to `dir`.new and is printed; what `have` lists
# and nobody has is listed in `gone`, whose text lost a word (an address) in `less`.
BEGIN { printf "" >gone; printf "" >less }
/^# vpc6 / { id = $3; text[id] = ""; next }
{ text[id] = text[id] $0 "\n" }
END {
  while ((getline name <have) > 0) {
    if (!(name in text)) { print name >gone; continue }
    old = ""; file = dir "/" name
    while ((getline line <file) > 0) old = old line "\n"
    close(file)
    if (old == text[name]) { delete text[name]; continue }
    words = text[name]; gsub(/[, \n]/, "\n", words); words = "\n" words
    count = split(old, word, /[, \n]/)
    for (i = 1; i <= count; i++) if (word[i] != "" && !index(words, "\n" word[i] "\n")) { print name >less; break }
  }
  for (id in text) { file = dir ".new/" id; printf "%s", text[id] >file; close(file); print id }
}
