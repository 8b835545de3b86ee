/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/acts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/policy_file.h"
#include "control/message.h"
#include "control/peer.h"
#include "control/policy_args.h"
#include "facts/life.h"
#include "facts/select.h"
#include "facts/severity.h"
#include "policy/lang/addresses.h"
#include "util/names.h"
#include "util/text.h"
#include "words/words.h"

#define MUTED_HEAD "# Findings that 'qportwatch mute' silenced. Delete a line and reload to hear of them again.\n"

int qpw_reason_check(const char *reason, struct qpw_error *err)
{
    const unsigned char *p = (const unsigned char *)reason;
    size_t left = strlen(reason), step;
    const char *at = reason;

    if (left >= QPW_REASON_BYTES)
        return qpw_fail(err, -EINVAL, "the reason is longer than %u bytes", QPW_REASON_BYTES - 1);
    for (; left; left -= step, p += step) {
        step = qpw_utf8_length(p, left);
        if (!step)
            return qpw_fail(err, -EINVAL, "the reason is not one line of text");
    }
    while (*at)
        if (qpw_char_steers(qpw_utf8_next(&at)))
            return qpw_fail(err, -EINVAL, "the reason is not one line of text");
    return 0;
}

static int ask(const struct qpw_act_asker *asker, json_t *request, json_t **ret_answer, struct qpw_error *err)
{
    int status = asker->ask(asker->context, request, ret_answer, err);

    json_decref(request);
    return status == -EMSGSIZE ? QPW_EXIT_FAILED : status;
}

static json_t *acknowledgement(const struct qpw_act *act)
{
    json_t *request = qpw_request_new("ack"), *words = json_array();

    for (size_t i = 0; i < act->n_words; i++)
        json_array_append_new(words, json_string(act->words[i]));
    json_object_set_new(request, "finding", words);
    json_object_set_new(request, "until", json_integer(act->until));
    json_object_set_new(request, "reason", json_string(act->reason));
    json_object_set_new(request, "undo", json_boolean(act->undo));
    return request;
}

int qpw_act_acknowledge(const struct qpw_act *act, const struct qpw_act_asker *asker, char *result, size_t size,
                        struct qpw_error *err)
{
    struct qpw_selection selection;
    char count[48], until[40];
    json_t *answer = NULL;
    bool single =
        qpw_selection_parse(act->words, act->n_words, &selection, err) == 0 && qpw_selection_is_single(&selection);
    int status = ask(asker, acknowledgement(act), &answer, err);
    size_t n = (size_t)json_integer_value(json_object_get(answer, "findings"));

    json_decref(answer);
    if (status != QPW_EXIT_OK)
        return status;
    qpw_words_many(n, "finding", count, sizeof(count));
    if (act->undo)
        snprintf(result, size, "no longer acknowledged: %s", count);
    else
        snprintf(result, size, "acknowledged: %s%s%s; open again if it gets worse%s is of another program", count,
                 act->until ? " until " : "",
                 act->until ? qpw_words_time((uint64_t)act->until * 1000000000u, until, sizeof(until)) : "",
                 single ? " or" : ", comes from another prefix or");
    return status;
}

/* ---- mute ---- */

/* The subject of one muting line: a service, and the remote ends of the selected findings. */
struct muted {
    const struct qpw_finding_row *first;
    struct qpw_addresses remotes;
    size_t n;
    bool answered;
    bool any_service;
    struct qpw_policy_file policy, file; /* the policy in force, and the file of muted findings that it includes */
};

static int gather(const struct qpw_act *act, const struct qpw_snapshot *s, struct muted *ret, struct qpw_error *err)
{
    struct qpw_selection selection;
    int r = qpw_selection_parse(act->words, act->n_words, &selection, err);

    ret->any_service = r == 0 && selection.any_service;
    for (size_t i = 0; r == 0 && i < s->n_findings; i++) {
        const struct qpw_finding_row *f = &s->findings[i];
        qpw_u128 number = qpw_address_number(qpw_finding_remote(&f->key));
        struct qpw_range range = {number, number};

        if (!qpw_selection_has(&selection, f) || qpw_finding_life(f).state == QPW_FINDING_CLOSED)
            continue;
        ret->first = ret->first ? ret->first : f;
        ret->answered |= qpw_finding_answered(f);
        ret->n++;
        if (qpw_addresses_add(&ret->remotes, &range) < 0)
            return qpw_fail(err, -ENOMEM, "out of memory");
    }
    if (r == 0 && !ret->n)
        return qpw_fail(err, -ENOENT, "no finding of that name is open; 'qportwatch report' lists them");
    qpw_addresses_normalise(&ret->remotes);
    return r;
}

static int check(const struct qpw_act *act, const struct muted *m, struct qpw_error *err)
{
    const struct qpw_finding_key *key = &m->first->key;

    if (!m->any_service && (key->kind == QPW_KIND_ETHERTYPE || key->kind == QPW_KIND_NONE))
        return qpw_fail(err, -EINVAL, "a policy covers IP only; acknowledge this finding ('qportwatch ack')");
    if (m->answered && !act->until)
        return qpw_fail(err, -EINVAL, "it was answered: --until is required, so that it is looked at again");
    return 0;
}

static int write_prefix(const struct qpw_prefix *prefix, void *data)
{
    char text[64];

    fprintf(data, ",%s", qpw_words_local(prefix->addr, prefix->length, text, sizeof(text)));
    return 0;
}

static void write_quoted(FILE *out, const char *text)
{
    for (; *text; text++)
        fprintf(out, strchr("\"\\", *text) ? "\\%c" : "%c", *text);
}

static void write_time(FILE *out, int64_t unix_s, const char *format)
{
    time_t seconds = (time_t)unix_s;
    char text[32] = "";
    struct tm tm;

    strftime(text, sizeof(text), format, gmtime_r(&seconds, &tm));
    fputs(text, out);
}

/*
 * Write the remote ends as to= for outbound findings, otherwise as from=; if the direction is unknown, either end may
 * have sent the first packet.
 */
static void write_remotes(FILE *out, const struct muted *m)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);

    for (size_t i = 0; memory && i < m->remotes.n; i++)
        qpw_range_prefixes(&m->remotes.ranges[i], write_prefix, memory);
    if (memory && fclose(memory) == 0 && size)
        fprintf(out, " %s=%s", m->first->key.direction == QPW_DIR_OUTBOUND ? "to" : "from", text + 1);
    free(text);
}

static void write_line(FILE *out, const struct qpw_act *act, const struct muted *m, int64_t now)
{
    const struct qpw_finding_key *key = &m->first->key;
    char protocol[32], user[64];

    fprintf(out, "suppress  %s %s ", key->direction == QPW_DIR_INBOUND ? "inbound" : key->direction == QPW_DIR_OUTBOUND ? "outbound" : "any",
            m->any_service ? "any" : qpw_protocol_text(key->kind, key->protocol, key->port, protocol, sizeof(protocol)));
    if (m->any_service || key->kind == QPW_KIND_PROTOCOL || (key->kind == QPW_KIND_PORT && !key->port))
        fputs("any", out);
    else
        fprintf(out, "%u", key->port);
    write_remotes(out, m);
    fputs(m->answered ? " outcome=answered" : "", out);
    if (act->until) {
        fputs(" until=", out);
        write_time(out, act->until, "%Y-%m-%dT%H:%M:%SZ");
    }
    fputs(" reason=\"", out);
    write_quoted(out, act->reason);
    qpw_peer_user(getpid(), user, sizeof(user));
    fputs(" (", out);
    write_quoted(out, qpw_text_clean(user));
    fputs(", ", out);
    write_time(out, now, "%Y-%m-%d");
    fputs(")\"\n", out);
}

/* Return the length of a line's selector, that is, all before until= and reason=. */
static size_t meant_length(const char *line)
{
    size_t length = strcspn(line, "\n");
    const char *until = memmem(line, length, " until=", 7), *reason = memmem(line, length, " reason=", 8);

    return until ? (size_t)(until - line) : reason ? (size_t)(reason - line) : length;
}

/* Write the file's text without lines that have the same selector as `line`, then `line`. */
static void write_muted(FILE *out, const char *before, const char *line)
{
    size_t meant = meant_length(line), length;

    for (; *before; before += length + (before[length] == '\n')) {
        length = strcspn(before, "\n");
        if (meant_length(before) != meant || strncmp(before, line, meant))
            fprintf(out, "%.*s\n", (int)length, before);
    }
    fputs(line, out);
}

/* Build the file's text including this act's line. The caller frees it; NULL: out of memory. */
static char *muted_text(const char *before, const struct qpw_act *act, const struct muted *m, int64_t now)
{
    char *text = NULL, *line = NULL;
    size_t size;
    FILE *out = open_memstream(&line, &size);

    if (!out)
        return NULL;
    write_line(out, act, m, now);
    if (fclose(out) == 0 && (out = open_memstream(&text, &size))) {
        write_muted(out, before ? before : MUTED_HEAD, line);
        if (fclose(out) == 0) {
            free(line);
            return text;
        }
        free(text);
    }
    free(line);
    return NULL;
}

/* Compute the digest of the policy as its files are now. Returns 0, or a negative errno with err filled. */
static int digest_on_file(const struct qpw_snapshot *s, char *ret, size_t size, struct qpw_error *err)
{
    json_t *args = qpw_policy_args_load(s->meta.policy_args);
    struct qpw_policy_options options = {0};
    struct qpw_policy policy;
    int r;

    if (!args)
        return qpw_fail(err, -EIO, "the policy options of the attachment cannot be read");
    r = qpw_policy_args_read(args, &options, err);
    if (r == 0)
        r = qpw_policy_load(&options, &policy, NULL, err);
    qpw_policy_options_clear(&options);
    json_decref(args);
    if (r < 0)
        return r;
    snprintf(ret, size, "%s", policy.digest);
    qpw_policy_clear(&policy);
    return 0;
}

/* Reload, if the policy with digest `before` is in force, so that no change but this command's is applied. */
static int reload(const struct qpw_act_asker *asker, const char *before, struct qpw_error *err)
{
    json_t *answer = NULL, *request = qpw_request_new("reload");
    int status;

    json_object_set_new(request, "in_force", json_string(before));
    status = ask(asker, request, &answer, err);
    json_decref(answer);
    return status;
}

/* Write both files, or leave both unchanged. */
static int write_and_reload(const struct qpw_act *act, struct muted *m, const struct qpw_snapshot *s,
                            const struct qpw_act_asker *asker, struct qpw_error *err)
{
    char *text = muted_text(m->file.text, act, m, (int64_t)(s->unix_ns / 1000000000u)), before[sizeof(s->meta.policy_digest)];
    struct qpw_error why;
    int status = QPW_EXIT_FAILED, r = text ? digest_on_file(s, before, sizeof(before), err) : qpw_fail(err, -ENOMEM, "out of memory");

    if (r == 0)
        r = qpw_policy_file_write(&m->file, text, err);
    free(text);
    if (r == 0)
        r = qpw_policy_file_include(&m->policy, &m->file, err);
    if (r == 0)
        status = reload(asker, before, err);
    else if (r == -EINVAL)
        status = QPW_EXIT_USAGE;
    if (status != QPW_EXIT_OK && (qpw_policy_file_back(&m->policy, &why) < 0 || qpw_policy_file_back(&m->file, &why) < 0))
        *err = why;
    return status;
}

int qpw_act_mute(const struct qpw_act *act, const struct qpw_snapshot *s, const struct qpw_act_asker *asker,
                 char *result, size_t size, struct qpw_error *err)
{
    struct muted m = {.policy = {.lock = -1}, .file = {.lock = -1}};
    struct qpw_error why;
    char count[48], ignored[256];
    int status = QPW_EXIT_FAILED, r = gather(act, s, &m, err);

    if (r == 0)
        r = check(act, &m, err);
    if (r == 0)
        r = qpw_policy_file_open(s->meta.policy_path, &m.policy, err);
    if (r == 0)
        r = qpw_policy_file_muted(&m.policy, &m.file, err);
    if (r == 0)
        status = write_and_reload(act, &m, s, asker, err);
    else if (r == -EINVAL)
        status = QPW_EXIT_USAGE;
    if (status == QPW_EXIT_OK) {
        /* Even if that fails because it was closed or removed meanwhile, it is muted. */
        qpw_act_acknowledge(act, asker, ignored, sizeof(ignored), &why);
        snprintf(result, size, "muted: %s, by a line in %s", qpw_words_many(m.n, "finding", count, sizeof(count)),
                 m.file.path);
    }
    qpw_policy_file_close(&m.file);
    qpw_policy_file_close(&m.policy);
    qpw_addresses_clear(&m.remotes);
    return status;
}
