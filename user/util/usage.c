/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/usage.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/error.h"
#include "util/near.h"
#include "util/text.h"

/* Everything a command's argp and its children know, as getopt wants it. The value of each is its place here. */
struct known {
    struct option *options; /* ended by an empty one */
    const struct argp_option **from;
    size_t n;
    char letters[600];
};

#define HINT 80 /* room for what was probably meant */
#define PLACE 0x10000 /* values of long options, beyond every letter */

static const struct argp_option argps_own[] = {{"help", '?', NULL, 0, "", 0}, {"usage", 0x100, NULL, 0, "", 0}, {0}};

/* One line whatever stands in it: a word of the command line can have line breaks. */
static void say(const char *program, const char *format, va_list args)
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
    say(program, format, args);
    va_end(args);
    exit(QPW_EXIT_USAGE);
}

void qpw_usage_error(const struct argp_state *state, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(state->name, format, args);
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

    if (o->flags & OPTION_DOC)
        return;
    if (o->key > 0 && o->key <= 0xff && isprint(o->key) && length + 3 < sizeof(k->letters))
        snprintf(k->letters + length, sizeof(k->letters) - length, "%c%s", o->key, o->arg ? ":" : "");
    if (!o->name)
        return;
    k->options = reallocarray(k->options, k->n + 2, sizeof(*k->options));
    k->from = reallocarray(k->from, k->n + 1, sizeof(*k->from));
    if (!k->options || !k->from)
        fail("qportwatch", "out of memory");
    k->from[k->n] = o;
    k->options[k->n] = (struct option){.name = o->name, .has_arg = o->arg ? required_argument : no_argument,
                                       .val = (int)(PLACE + k->n)};
    k->options[++k->n] = (struct option){0};
}

static void know(struct known *k, const struct argp_option *list, const struct argp_child *children)
{
    for (const struct argp_option *o = list; o && (o->name || o->key || o->doc || o->group); o++)
        know_option(k, o);
    for (const struct argp_child *c = children; c && c->argp; c++)
        know(k, c->argp->options, c->argp->children);
}

/* A letter or a name that getopt did not know, or more than one name begins so. */
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

static void fail_without_value(const struct known *k, const char *program, int value)
{
    const struct argp_option *o = NULL;

    for (size_t i = 0; i < k->n && !o; i++)
        if (value == (int)(PLACE + i) || value == k->from[i]->key)
            o = k->from[i];
    fail(program, "--%s: its value is missing: --%s=%s", o ? o->name : "", o ? o->name : "", o ? o->arg : "");
}

/* Goes over the words as argp will, for what getopt has to object to. */
static void check(const struct argp *argp, int argc, char **argv)
{
    struct known k = {.letters = ":"};
    int value;

    know(&k, argps_own, NULL);
    know(&k, argp->options, argp->children);
    opterr = 0;
    optind = 0;
    while ((value = getopt_long(argc, argv, k.letters, k.options, NULL)) != -1) {
        if (value == ':')
            fail_without_value(&k, argv[0], optopt);
        if (value != '?' || !strcmp(argv[optind - 1], "-?"))
            continue;
        if (optopt >= PLACE)
            fail(argv[0], "%s: --%s takes no value", argv[optind - 1], k.options[optopt - PLACE].name);
        if (optopt == 'h') { /* known to so many others */
            argp_help(argp, stdout, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK, argv[0]);
            exit(QPW_EXIT_OK);
        }
        if (optopt != '?')
            fail_unknown(&k, argv[0], argv[optind - 1], optopt);
    }
    if (!argp->args_doc && optind < argc)
        fail(argv[0], "'%s': only options are taken here; '%s --help' lists them", argv[optind], argv[0]);
    free(k.options);
    free(k.from);
}

void qpw_arguments_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    error_t error;

    argp_err_exit_status = QPW_EXIT_USAGE;
    check(argp, argc, argv);
    error = argp_parse(argp, argc, argv, 0, NULL, input);
    if (error)
        fail(argv[0], "%s", strerror(error));
}
