#!/bin/sh
# Counts each figure of requirements.json again, from the files beside this one. Needs jq. Exit status 1: one differs.
cd "$(dirname "$0")" || exit 2
jq -r '.figures[] | [.name, (.value | tostring), .file, .filter] | join("\t")' requirements.json |
{
    counted=0 unknown=0 different=0
    while IFS="$(printf '\t')" read -r name value file filter; do
        if [ "$value" = null ]; then
            printf '%-24s not known\n' "$name"
            unknown=$((unknown + 1))
            continue
        fi
        case $file in
        report.json | coverage.json | chain.json) again=$(jq "$filter" "$file") ;;
        alerts.jsonl) again=$(jq -s "$filter" "$file") ;;
        *) again="$file is no file of this folder" ;;
        esac
        counted=$((counted + 1))
        if [ "$again" = "$value" ]; then
            printf '%-24s %s\n' "$name" "$value"
        else
            printf '%-24s %s, counted again: %s   DIFFERENT\n' "$name" "$value" "$again"
            different=$((different + 1))
        fi
    done
    echo "$counted figures counted again, $different different; $unknown not known"
    [ "$counted" -gt 0 ] && [ "$different" -eq 0 ]
}
