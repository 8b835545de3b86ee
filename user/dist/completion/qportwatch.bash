# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The program itself knows what may come next: 'qportwatch complete WORDS'.
_qportwatch()
{
    local line=${COMP_LINE:0:COMP_POINT} word candidates files=
    local -a words
    read -ra words <<<"$line"
    case $line in *[[:space:]]) words+=("") ;; esac
    word=${words[-1]}
    COMPREPLY=()
    while IFS=$'\t' read -r candidates _; do
        if [[ $candidates == :file ]]; then files=yes; else COMPREPLY+=("$candidates"); fi
    done < <("${words[0]}" complete "${words[@]:1}" 2>/dev/null)
    if [[ $files ]]; then
        while read -r candidates; do COMPREPLY+=("$candidates"); done < <(compgen -f -- "${word#--*=}")
        compopt -o filenames 2>/dev/null
    elif [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
    # bash replaces only what stands behind the last "=" or ":"
    [[ $word == *=* && $COMP_WORDBREAKS == *=* ]] && COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*=}"}"}")
    return 0
}
complete -F _qportwatch qportwatch
