/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/usage.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/error.h"
#include "util/near.h"
#include "util/text.h"

/* All options of a command's argp and its children, in getopt's form. Each option's value is its index here. */
struct known {
    struct option *options; /* terminated by an empty one */
    const struct argp_option **from;
    size_t n;
    char letters[600];
};

#define HINT 80 /* bytes for the "did you mean" hint */
#define PLACE 0x10000 /* base of long options' values, beyond every letter */

/* Words from files, parsed before those of the command line. */
static struct {
    const struct qpw_usage_word *words;
    size_t n;
    int next; /* index to continue at after a wrong word */
    jmp_buf wrong;
} in_front;

static qpw_usage_describe_fn describe;

static const struct argp_option argps_own[] = {{"help", '?', NULL, 0, "", 0}, {"usage", 0x100, NULL, 0, "", 0}, {0}};

/* Print one line, even if a word of the command line contains line breaks. */
static void print_error(const char *program, const char *format, va_list args)
{
    char text[1024];

    vsnprintf(text, sizeof(text), format, args);
    fprintf(stderr, "%s: %s\n", program, qpw_text_clean(text));
}

static void fail(const char *program, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
static void fail(const char *program, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_error(program, format, args);
    va_end(args);
    exit(QPW_EXIT_USAGE);
}

/* Return the word that argp is parsing, if it came from a file. */
static const struct qpw_usage_word *word_of_file(const struct argp_state *state)
{
    return state->next >= 2 && (size_t)state->next - 2 < in_front.n ? &in_front.words[state->next - 2] : NULL;
}

void qpw_usage_error(const struct argp_state *state, const char *format, ...)
{
    const struct qpw_usage_word *word = word_of_file(state);
    va_list args;

    char text[1024];

    va_start(args, format);
    if (word) {
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        fprintf(stderr, "%s: %s\n", word->from, qpw_text_clean(text) + (strncmp(text, "--", 2) ? 0 : 2));
        in_front.next = state->next;
        longjmp(in_front.wrong, 1);
    }
    print_error(state->name, format, args);
    va_end(args);
    exit(QPW_EXIT_USAGE);
}

int qpw_number_parse(const char *text, unsigned long low, unsigned long high, unsigned long *ret)
{
    unsigned long value;
    char *end;

    if (*text < '0' || *text > '9')
        return -EINVAL;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (*end || errno || value < low || value > high)
        return -EINVAL;
    *ret = value;
    return 0;
}

unsigned qpw_usage_choice(const struct argp_state *state, const char *option, const char *value,
                          const char *const names[])
{
    char list[160] = "", hint[HINT];
    size_t used = 0;

    for (unsigned i = 0; names[i]; i++) {
        if (!strcmp(value, names[i]))
            return i;
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", names[i]);
    }
    qpw_usage_error(state, "%s %s: not one of %s%s", option, value, list, qpw_near_among(value, names, hint, sizeof(hint)));
}

char *qpw_usage_path(const struct argp_state *state, const char *option, char *value)
{
    if (!*value)
        qpw_usage_error(state, "%s: it is empty; leave it out for the default", option);
    return value;
}

unsigned long qpw_usage_number(const struct argp_state *state, const char *option, const char *value, unsigned long low,
                               unsigned long high, const char *noun)
{
    unsigned long number;

    if (qpw_number_parse(value, low, high, &number) < 0)
        qpw_usage_error(state, "%s %s: not a %s from %lu to %lu", option, value, noun, low, high);
    return number;
}

int qpw_usage_no_command(const char *program, const struct qpw_near *near)
{
    char hint[HINT];

    if (!near)
        fail(program, "missing command ('%s --help' lists the commands)", program);
    if (near->best)
        fail(program, "unknown command '%s'%s", near->word, qpw_near_hint(near, hint, sizeof(hint)));
    fail(program, "unknown %s '%s'; '%s --help' lists the commands", *near->word == '-' ? "option" : "command", near->word,
         program);
}

static void know_option(struct known *k, const struct argp_option *o)
{
    size_t length = strlen(k->letters);
    const struct argp_option **from;
    struct option *option;

    if (o->key > 0 && o->key <= 0xff && isprint(o->key) && length + 3 < sizeof(k->letters))
        snprintf(k->letters + length, sizeof(k->letters) - length, "%c%s", o->key, o->arg ? ":" : "");
    if (!o->name)
        return;
    option = QPW_EXTEND(k->options, k->n, 2); /* the second one, zeroed, ends the list */
    from = QPW_ADD(k->from, k->n);
    if (!option || !from)
        fail("qportwatch", "out of memory");
    *from = o;
    *option = (struct option){.name = o->name, .has_arg = o->arg ? required_argument : no_argument, .val = (int)(PLACE + k->n)};
    k->n++;
}

void qpw_usage_each_option(const struct argp *argp, void (*each)(void *arg, const struct argp_option *option), void *arg)
{
    for (const struct argp_option *o = argp->options; o && (o->name || o->key || o->doc || o->group); o++)
        if (!(o->flags & OPTION_DOC))
            each(arg, o);
    for (const struct argp_child *c = argp->children; c && c->argp; c++)
        qpw_usage_each_option(c->argp, each, arg);
}

static void know(void *arg, const struct argp_option *option)
{
    know_option(arg, option);
}

static struct known known_of(const struct argp *argp)
{
    struct known k = {.letters = ":"};

    for (const struct argp_option *o = argps_own; o->name; o++)
        know_option(&k, o);
    qpw_usage_each_option(argp, know, &k);
    return k;
}

static void forget(struct known *k)
{
    free(k->options);
    free(k->from);
}

/* Report a letter or name that getopt did not know, or a prefix of several names. */
static void fail_unknown(const struct known *k, const char *program, const char *word, int letter)
{
    size_t length = strcspn(word, "="), matches = 0;
    struct qpw_near near = qpw_near_to(word + 2, length > 2 ? length - 2 : 0);

    if (letter)
        fail(program, "-%c: unknown option; '%s --help' lists the options", letter, program);
    for (size_t i = 0; i < k->n; i++) {
        matches += !strncmp(k->options[i].name, word + 2, length - 2);
        qpw_near_offer(&near, k->options[i].name);
    }
    if (!matches && near.best)
        fail(program, "%.*s: unknown option; did you mean '--%s'?", (int)length, word, near.best);
    fail(program, "%.*s: %s; '%s --help' lists the options", (int)length, word,
         matches ? "more than one option begins so" : "unknown option", program);
}

static const struct argp_option *option_of(const struct known *k, int value)
{
    for (size_t i = 0; i < k->n; i++)
        if (value == (int)(PLACE + i) || value == k->from[i]->key)
            return k->from[i];
    return NULL;
}

static void fail_without_value(const struct known *k, const char *program, int value)
{
    const struct argp_option *o = option_of(k, value);

    fail(program, "--%s: its value is missing: --%s=%s", o ? o->name : "", o ? o->name : "", o ? o->arg : "");
}

/* Check the words the way argp will, for what getopt rejects. */
static void check(const struct argp *argp, int argc, char **argv)
{
    struct known k = known_of(argp);
    int value;

    opterr = 0;
    optind = 0;
    while ((value = getopt_long(argc, argv, k.letters, k.options, NULL)) != -1) {
        if (value == ':')
            fail_without_value(&k, argv[0], optopt);
        if (value != '?' || !strcmp(argv[optind - 1], "-?"))
            continue;
        if (optopt >= PLACE)
            /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): known_of() exits if out of memory */
            fail(argv[0], "%s: --%s takes no value", argv[optind - 1], k.options[optopt - PLACE].name);
        if (optopt == 'h') { /* because so many other programs have it */
            argp_help(argp, stdout, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK, argv[0]);
            exit(QPW_EXIT_OK);
        }
        if (optopt != '?')
            fail_unknown(&k, argv[0], argv[optind - 1], optopt);
    }
    if (!argp->args_doc && optind < argc)
        fail(argv[0], "'%s': only options are taken here; '%s --help' lists them", argv[optind], argv[0]);
    forget(&k);
}

int qpw_usage_each_given(const struct argp *argp, int argc, char **argv,
                         void (*each)(void *arg, const char *name, const char *value), void *arg)
{
    struct known k = known_of(argp);
    char **words = calloc((size_t)argc + 1, sizeof(*words)); /* a copy, because getopt reorders them */
    const struct argp_option *o;
    int value;

    if (!words)
        fail(argv[0], "out of memory");
    memcpy(words, argv, (size_t)argc * sizeof(*words));
    opterr = 0;
    optind = 0;
    while ((value = getopt_long(argc, words, k.letters, k.options, NULL)) != -1) {
        o = value == '?' || value == ':' ? NULL : option_of(&k, value);
        if (o)
            each(arg, o->name, optarg);
    }
    free(words);
    forget(&k);
    return argc - optind;
}

void qpw_usage_describe(qpw_usage_describe_fn to)
{
    describe = to;
}

void qpw_usage_offer(const struct argp *argp)
{
    if (!describe)
        return;
    describe(argp);
    exit(QPW_EXIT_OK);
}

static void start(const struct argp *argp, int argc, char **argv)
{
    qpw_usage_offer(argp);
    argp_err_exit_status = QPW_EXIT_USAGE;
    check(argp, argc, argv);
}

static void parse(const struct argp *argp, int argc, char **argv, void *input)
{
    error_t error = argp_parse(argp, argc, argv, 0, NULL, input);

    if (error)
        fail(argv[0], "%s", strerror(error));
}

void qpw_arguments_parse_after(const struct argp *argp, const struct qpw_usage_word *words, size_t n, int argc, char **argv,
                               void *input)
{
    char **all = calloc(n + (size_t)argc + 1, sizeof(*all));
    volatile bool failed = false;
    volatile size_t first = 0; /* the next word to parse */

    if (!all)
        fail(argv[0], "out of memory");
    start(argp, argc, argv);
    if (setjmp(in_front.wrong)) { /* reported; continue with the next one */
        failed = true;
        first += (size_t)in_front.next - 1;
    }
    in_front.words = words + first;
    in_front.n = n - first;
    all[0] = argv[0];
    for (size_t i = first; i < n; i++)
        all[1 + i - first] = (char *)words[i].text;
    memcpy(all + 1 + n - first, argv + 1, (size_t)argc * sizeof(*argv)); /* including the terminating NULL */
    parse(argp, (int)(n - first) + argc, all, input);
    in_front.n = 0;
    if (failed)
        exit(QPW_EXIT_USAGE);
    free(all);
}

void qpw_arguments_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    start(argp, argc, argv);
    parse(argp, argc, argv, input);
}
