/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/kernel_words.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_LEVEL 1u /* BPF_LOG_LEVEL1 of linux/bpf_verifier.h: the last path to the end of each function */
#define LOG_STATS 4u /* BPF_LOG_STATS: instructions processed, states, stack */

static const char log_begins[] = "-- BEGIN PROG LOAD LOG --\n";
static _Thread_local char kernel_words[160];
static FILE *_Atomic log_stream; /* NULL: no log is shown */

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

static void show_log(FILE *to, const char *format, va_list args)
{
    va_list copy;

    va_copy(copy, args);
    vfprintf(to, format, copy);
    va_end(copy);
}

/*
 * Keep the kernel's extended acknowledgement or verifier log, which libbpf prints as warnings of its own, for error
 * messages.
 */
static int keep_kernel_words(enum libbpf_print_level level, const char *format, va_list args)
{
    static const char ack[] = "Kernel error message: ";
    FILE *to = log_stream;
    char *text, *found;

    if (to && strstr(format, log_begins))
        show_log(to, format, args);
    if (level != LIBBPF_WARN || vasprintf(&text, format, args) < 0)
        return 0;
    found = strstr(text, ack);
    if (found) {
        snprintf(kernel_words, sizeof(kernel_words), "%s", found + strlen(ack));
        kernel_words[strcspn(kernel_words, "\n")] = '\0';
    } else if ((found = strstr(text, log_begins))) {
        snprintf(kernel_words, sizeof(kernel_words), "%s", last_line(found + strlen(log_begins)));
    }
    free(text);
    return 0;
}

void qpw_quiet_libbpf(void)
{
    libbpf_set_print(keep_kernel_words);
}

void qpw_verifier_log_show(FILE *to)
{
    log_stream = to;
}

unsigned qpw_verifier_log_level(void)
{
    return log_stream ? LOG_LEVEL | LOG_STATS : 0;
}

const char *qpw_kernel_words(void)
{
    static _Thread_local char words[sizeof(kernel_words)];

    memcpy(words, kernel_words, sizeof(words));
    kernel_words[0] = '\0';
    return words;
}

const char *qpw_kernel_remedy(int error, const char *needs)
{
    switch (error) {
    case -EMFILE: return "; the limit on open files is too low (ulimit -n, LimitNOFILE=)";
    case -ENFILE: return "; the system's limit on open files is reached (fs.file-max)";
    case -ENOMEM: return "; there is not enough memory, or before Linux 5.11 not enough that may be locked (ulimit -l)";
    default: return needs;
    }
}
