# An assembled file of guests, and what `dir` (`have`: its names) has of it: lines `ID TEXT`.
/^# vpc6 / { id = $3; text[id] = ""; next }
{ text[id] = text[id] $0 "\n" }
END {
  while ((getline name <have) > 0) {
    file = dir "/" name
    if (!(name in text)) { print "-", "file " file " added"; continue }
    old = ""
    while ((getline line <file) > 0) old = old line "\n"
    close(file)
    if (old != text[name]) print name, "file " file " changed"
    delete text[name]
  }
  for (id in text) print id, "file " dir "/" id " removed"
}
