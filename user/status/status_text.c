/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "status/status.h"
#include "status/status_alerts.h"
#include "util/names.h"
#include "words/answer.h"
#include "words/words.h"

#define LABEL "%-12s "
#define COVERAGE_LINES 12u

static void show_answer(const struct qpw_status *s, FILE *out)
{
    char text[320];

    fprintf(out, LABEL "%s\n", "answer", qpw_words_headline(&s->answer, s->snapshot.unix_ns, text, sizeof(text)));
}

static void show_hooks(const struct qpw_status *s, FILE *out)
{
    const struct qpw_status_hooks *h;

    for (size_t i = 0; i < s->n_hooks; i++) {
        h = &s->hooks[i];
        fprintf(out, LABEL "%s: rx %s, tx %s (%s)%s\n", i ? "" : "attached", h->iface->name, h->rx_hook, h->tx_hook,
                h->iface->mode, h->iface->up ? "" : ", link down");
        if (*h->before_rx)
            fprintf(out, LABEL "  may not see everything: before its rx program stands %s\n", "", h->before_rx);
        if (*h->before_tx)
            fprintf(out, LABEL "  may not see everything: before its tx program stands %s\n", "", h->before_tx);
        if (strcmp(h->rx_hook, "none") && strcmp(h->tx_hook, "none"))
            continue;
        fprintf(out, LABEL "  not wholly watched: %s; %s\n", "",
                h->gone ? "the interface is gone" : "a program of ours is missing",
                s->snapshot.auditor_pid ? "the auditor puts it back when it can" : "'attach' puts it back");
    }
}

static void show_auditor(const struct qpw_status *s, FILE *out)
{
    char since[32], ago[32], heart[32];

    qpw_time_text(s->snapshot.meta.attached_unix_ns, since, sizeof(since));
    qpw_words_duration(s->snapshot.mono_ns - s->snapshot.control.attached_ns, ago, sizeof(ago));
    qpw_words_duration(s->answer.sight.heartbeat_age_ns / 1000000000u * 1000000000u, heart, sizeof(heart));
    fprintf(out, LABEL "%.19sZ (%s), by %s\n", "since", since, ago, s->snapshot.meta.command);
    if (s->answer.sight.auditor == QPW_AUDITOR_NONE)
        fprintf(out, LABEL "none; the kernel side counts on, 'attach' takes it over\n", "auditor");
    else
        fprintf(out, LABEL "process %d, heartbeat %s ago%s\n", "auditor", s->snapshot.auditor_pid, heart,
                s->answer.sight.auditor == QPW_AUDITOR_SILENT ? " (stale: it hangs or was killed; 'attach' takes over)" : "");
}

static void show_policy(const struct qpw_status *s, FILE *out)
{
    const struct qpw_meta *m = &s->snapshot.meta;

    fprintf(out, LABEL "%s (%s)\n", "policy", m->policy_name, m->policy_path);
    switch (s->policy_state) {
    case QPW_POLICY_CURRENT: fprintf(out, LABEL "%s, loaded as the file says\n", "", m->policy_digest); break;
    case QPW_POLICY_CHANGED:
        fprintf(out, LABEL "loaded  %s\n", "", m->policy_digest);
        fprintf(out, LABEL "on file %s: changed since, 'qportwatch reload' puts it in force\n", "",
                s->policy_file_digest);
        break;
    case QPW_POLICY_UNREADABLE:
        fprintf(out, LABEL "%s is in force; the file cannot be read now: %s\n", "", m->policy_digest, s->policy_error);
        break;
    }
    if (s->policy_state != QPW_POLICY_CURRENT && s->n_exceptions)
        fprintf(out, LABEL "(exceptions as the file says, not as loaded)\n", "");
    for (size_t i = 0; i < s->n_exceptions; i++) {
        fprintf(out, LABEL "%s%s\n", i ? "" : "exceptions", s->exceptions[i].text,
                s->exceptions[i].until ? "" : " (without an end)");
    }
    if (!s->n_exceptions)
        fprintf(out, LABEL "%s\n", "exceptions",
                s->policy_state == QPW_POLICY_UNREADABLE ? "not known while the file cannot be read" : "none");
}

static void show_shares(const struct qpw_status *s, FILE *out)
{
    char share[16];

    fprintf(out, LABEL "%llu", "packets", (unsigned long long)s->totals.all.packets);
    for (int d = 0; d < QPW_DIR_COUNT; d++)
        fprintf(out, ", %s %s", qpw_direction_name(d),
                qpw_words_share(s->totals.by_direction[d].packets, s->totals.all.packets, share, sizeof(share)));
    fprintf(out, "\n" LABEL, "verdicts");
    for (int v = QPW_VERDICT_COUNT - 1, n = 0; v > QPW_VERDICT_NONE; v--)
        if (s->totals.by_verdict[v].packets)
            fprintf(out, "%s%s %s", n++ ? ", " : "", qpw_verdict_name(v),
                    qpw_words_share(s->totals.by_verdict[v].packets, s->totals.all.packets, share, sizeof(share)));
    fprintf(out, "%s\n" LABEL "%zu unexpected, %zu of them answered\n", s->totals.all.packets ? "" : "-", "findings",
            s->answer.unexpected, s->answer.answered);
}

static void show_losses(const struct qpw_status *s, FILE *out)
{
    int n = 0;

    for (int loss = 1; loss < QPW_LOSS_COUNT; loss++)
        if (s->snapshot.losses[loss])
            fprintf(out, LABEL "%s %llu%s\n", n++ ? "" : "losses", qpw_loss_name(loss),
                    (unsigned long long)s->snapshot.losses[loss],
                    qpw_loss_delays(loss) ? " (delayed, not lost)" : "");
    if (!n)
        fprintf(out, LABEL "none\n", "losses");
}

static void show_tables(const struct qpw_status *s, FILE *out)
{
    const struct qpw_table_row *t;
    char bytes[24];
    int n = 0;

    for (int c = 1; c < QPW_CLASS_COUNT; c++) {
        t = &s->snapshot.tables[c];
        fprintf(out, LABEL "%-11s %llu of %llu, evicted %llu\n", n++ ? "" : "connections", qpw_class_name(c),
                (unsigned long long)t->entries, (unsigned long long)t->capacity, (unsigned long long)t->evicted);
    }
    fprintf(out, LABEL "%s in the kernel\n", "memory",
            qpw_words_bytes(s->snapshot.memory_bytes, bytes, sizeof(bytes)));
}

static void show_timeouts(const struct qpw_status *s, FILE *out)
{
    const struct qpw_control *c = &s->snapshot.control;
    const struct {
        const char *name;
        uint64_t ns;
    } all[] = {{"tcp", c->tcp_ns},     {"half-open", c->half_open_ns}, {"udp", c->udp_ns},
               {"other", c->other_ns}, {"tail", c->tail_ns},           {"parent", c->parent_ns},
               {"fragment", c->fragment_ns}};
    char text[32];

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        qpw_words_duration(all[i].ns, text, sizeof(text));
        if (i)
            fprintf(out, ", %s %s", all[i].name, text);
        else
            fprintf(out, LABEL "%s %s", "time-outs", all[i].name, text);
    }
    fputc('\n', out);
}

static const char *ifname(const struct qpw_status *s, const struct qpw_coverage *c)
{
    return c->iface < QPW_MAX_IFACES ? s->snapshot.meta.ifname[c->iface] : "";
}

static void show_coverage(const struct qpw_status *s, FILE *out)
{
    size_t n = s->snapshot.n_coverage, from = n > COVERAGE_LINES ? n - COVERAGE_LINES : 0;
    const struct qpw_coverage *c;
    const char *label = "coverage";
    char when[32];

    for (size_t i = from; i < n; i++, label = "") {
        c = &s->snapshot.coverage[i];
        qpw_time_text(c->unix_ns, when, sizeof(when));
        fprintf(out, LABEL "%.19sZ %s%s%s%s%s\n", label, when, qpw_coverage_name(c->kind), *ifname(s, c) ? " " : "",
                ifname(s, c), *c->text ? ": " : "", c->text);
    }
    for (size_t i = 0; i < s->snapshot.n_unwatched; i++, label = "")
        fprintf(out, LABEL "not watched: %s (rx %llu, tx %llu packets since it came up)\n", label,
                s->snapshot.unwatched[i].name, (unsigned long long)s->snapshot.unwatched[i].rx_packets,
                (unsigned long long)s->snapshot.unwatched[i].tx_packets);
    for (size_t i = 0; i < s->snapshot.n_notes; i++, label = "")
        fprintf(out, LABEL "%s\n", label, s->snapshot.notes[i]);
}

void qpw_status_text(const struct qpw_status *s, FILE *out)
{
    fprintf(out, "qportwatch %s on %s\n", s->snapshot.meta.version, s->snapshot.host);
    show_answer(s, out);
    show_hooks(s, out);
    show_auditor(s, out);
    show_policy(s, out);
    show_shares(s, out);
    show_losses(s, out);
    show_tables(s, out);
    show_timeouts(s, out);
    qpw_status_alerts_text(s->alerts, out);
    show_coverage(s, out);
}
