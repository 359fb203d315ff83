# The headers as Doxygen wants them: the first comment is the file's (bp.h's is the first page's as well), and a comment over several declarations
# without a blank line in between is each one's.
FNR == 1 && /^\/\*\*/ {
    text = ""
    in_first = 1
}
in_first {
    text = text "\n" $0
    if (/\*\/$/) {
        in_first = 0
        sub(/^\n\/\*\*/, "", text)
        if (FILENAME ~ /\/bp\.h$/) {
            print "/** @mainpage Reference" text
        }
        print "/** @file\n *" text
    }
    next
}
/^$/ { first = "" }
/^BP_API / || /^typedef (int|void|bp_status) / {
    name = $0
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    if (first == "") {
        first = documented ? name : ""
    } else if (!documented && $0 !~ /\/\*\*</) {
        print "/** @copydoc " first " */"
    }
}
{
    documented = /\*\/$/ && !/\/\*\*</
    print
}
