/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/kernel_words.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char kernel_words[160];

/* Return the line of the verifier's log that gives the reason: the last one before its statistics. */
static const char *last_line(char *log)
{
    const char *last = "";
    char *line;

    while ((line = strsep(&log, "\n")))
        if (*line && strncmp(line, "processed ", 10) && strncmp(line, "-- END", 6))
            last = line;
    return last;
}

/*
 * Keep the kernel's extended acknowledgement or verifier log, which libbpf prints as warnings of its own, for error
 * messages.
 */
static int keep_kernel_words(enum libbpf_print_level level, const char *format, va_list args)
{
    static const char ack[] = "Kernel error message: ", log[] = "-- BEGIN PROG LOAD LOG --\n";
    char *text, *found;

    if (level != LIBBPF_WARN || vasprintf(&text, format, args) < 0)
        return 0;
    found = strstr(text, ack);
    if (found) {
        snprintf(kernel_words, sizeof(kernel_words), "%s", found + strlen(ack));
        kernel_words[strcspn(kernel_words, "\n")] = '\0';
    } else if ((found = strstr(text, log))) {
        snprintf(kernel_words, sizeof(kernel_words), "%s", last_line(found + strlen(log)));
    }
    free(text);
    return 0;
}

void qpw_quiet_libbpf(void)
{
    libbpf_set_print(keep_kernel_words);
}

const char *qpw_kernel_words(void)
{
    static _Thread_local char words[sizeof(kernel_words)];

    memcpy(words, kernel_words, sizeof(words));
    kernel_words[0] = '\0';
    return words;
}

const char *qpw_kernel_cure(int error, const char *needs)
{
    switch (error) {
    case -EMFILE: return "; the limit on open files is too low (ulimit -n, LimitNOFILE=)";
    case -ENFILE: return "; the system's limit on open files is reached (fs.file-max)";
    case -ENOMEM: return "; there is not enough memory, or before Linux 5.11 not enough that may be locked (ulimit -l)";
    default: return needs;
    }
}
