/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* suggest_speaks.c - rules on whose ports something else speaks than they name. */
#include <errno.h>
#include <stdlib.h>

#include "advice/suggest_int.h"
#include "facts/life.h"
#include "words/finding.h"
#include "words/speech.h"
#include "words/words.h"

/* What was found of one rule. */
struct other {
    uint32_t classes; /* QPW_LOOKS() of the node's ends */
    size_t findings;
    const struct qpw_finding_row *first;
};

static void write_other(const struct qpw_snapshot *s, const struct other *o, FILE *out)
{
    const struct qpw_finding_row *f = o->first;
    const char *rule = s->rules[f->value.rule].name;
    bool one = !(o->classes & (o->classes - 1));
    struct qpw_allow allow = {.kind = f->key.kind, .protocol = f->key.protocol, .direction = f->key.direction,
                              .verdict = f->key.verdict, .port = f->key.port, .services = f->value.services,
                              .speaks = one ? f->value.speaks[1] : QPW_SPEECH_BIN, /* of several: any */
                              .rule = rule};
    char services[160], count[40], line[256];
    const char *separator = " ";

    qpw_words_allow(&allow, line, sizeof(line));
    fprintf(out, "# %s is for %s; first bytes look like", rule, qpw_words_services(f->value.services, services, sizeof(services)));
    for (unsigned speech = 0; speech < QPW_SPEECH_COUNT; speech++)
        if (o->classes >> speech & 1) {
            fprintf(out, "%s%s", separator, qpw_words_speech(speech));
            separator = ", ";
        }
    fprintf(out, ": %s\n#%s\n", qpw_words_many(o->findings, "finding", count, sizeof(count)), line);
}

int qpw_suggest_speaks(const struct qpw_snapshot *s, FILE *out, size_t *lines)
{
    struct other *others = calloc(s->n_rules + 1, sizeof(*others));
    bool titled = false;

    if (!others)
        return -ENOMEM;
    for (size_t i = 0; i < s->n_findings; i++) {
        const struct qpw_finding_row *f = &s->findings[i];

        if (f->key.verdict != QPW_VERDICT_MISMATCH || !f->value.rule || f->value.rule >= s->n_rules ||
            qpw_finding_life(f).state == QPW_FINDING_CLOSED)
            continue;
        others[f->value.rule].classes |= 1u << (f->value.speaks[1] & QPW_SPEECH);
        others[f->value.rule].first = others[f->value.rule].findings++ ? others[f->value.rule].first : f;
    }
    for (size_t i = 0; i < s->n_rules; i++) {
        if (!others[i].findings)
            continue;
        if (!titled)
            fputs("\n# Ports on which something else speaks than their rule names. Uncomment what is meant to be there:\n", out);
        titled = true;
        write_other(s, &others[i], out);
        ++*lines;
    }
    free(others);
    return 0;
}
