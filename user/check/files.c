/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* files.c - policy, peers and the alert log. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "check/internal.h"
#include "util/file.h"
#include "words/words.h"

#define LEAST_SPACE (64ull << 20)

#define FOREIGN "give it and its folders to root, and take the right to write from others"

/* Remark on files that others than root can change, because these decide what is reported. */
static void check_foreign(struct qpw_check *c)
{
    char whose[300];

    if (c->options->foreign)
        qpw_remark(c, QPW_REMARK_WARNING, "configuration", FOREIGN, "%s", c->options->foreign);
    for (size_t i = 0; i < c->policy.n_files; i++)
        if (strncmp(c->policy.files[i], "built-in:", 9) && qpw_file_is_others(c->policy.files[i], whose, sizeof(whose)))
            qpw_remark(c, QPW_REMARK_WARNING, "policy", FOREIGN, "%.80s: others than root can change it (%s)", c->policy.files[i], whose);
}

void qpw_check_policy(struct qpw_check *c)
{
    const char *chosen;
    struct qpw_error err;
    char rules[48], peers[48];

    if (qpw_policy_load(&c->options->policy, &c->policy, &chosen, &err) < 0) {
        qpw_remark(c, QPW_REMARK_REFUSAL, "policy", "'qportwatch policy check FILE' looks it over", "%s", err.text);
        check_foreign(c);
        return;
    }
    check_foreign(c);
    qpw_remark(c, QPW_REMARK_OK, "policy", NULL, "%s: %s%s%s", c->policy.name,
               qpw_words_many(c->policy.n_rules, "rule", rules, sizeof(rules)), chosen ? "; " : "", chosen ? chosen : "");
    for (size_t i = 0; c->policy.warnings && c->policy.warnings[i]; i++)
        qpw_remark(c, QPW_REMARK_NOTE, "policy", NULL, "%s", c->policy.warnings[i]);
    if (c->policy.n_peers)
        qpw_remark(c, QPW_REMARK_OK, "peers", NULL, "%s", qpw_words_many(c->policy.n_peers, "peer", peers, sizeof(peers)));
    else
        qpw_remark(c, QPW_REMARK_NOTE, "peers", "--peer NAME=ADDR, or peer lines in the policy",
                   "none is named: traffic between the nodes of the cluster would be unexpected");
}

/* Find the nearest existing folder of the log's path. */
static void existing_folder(const char *path, char ret[PATH_MAX])
{
    struct stat st;
    char *above;

    snprintf(ret, PATH_MAX, "%s", path);
    do {
        above = dirname(ret); /* points into ret, or to a constant */
        if (above != ret)
            strcpy(ret, above);
    } while (stat(ret, &st) < 0 && errno == ENOENT && strcmp(ret, "/") && strcmp(ret, "."));
}

void qpw_check_log(struct qpw_check *c)
{
    const char *path = c->options->alerts;
    char folder[PATH_MAX], left[24];
    struct statvfs fs;
    struct stat st;
    uint64_t space;

    if (!path) {
        qpw_remark(c, QPW_REMARK_NOTE, "alert log", NULL, "none would be written");
        return;
    }
    existing_folder(path, folder);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
        qpw_remark(c, QPW_REMARK_WARNING, "alert log", "--alerts FILE", "%s is %s", path, qpw_file_kind(st.st_mode));
        return;
    }
    if (stat(folder, &st) < 0 || !S_ISDIR(st.st_mode) || access(folder, W_OK) < 0 || statvfs(folder, &fs) < 0) {
        qpw_remark(c, QPW_REMARK_WARNING, "alert log", "--alerts FILE", "%s cannot be written: %s", path,
                   stat(folder, &st) == 0 && !S_ISDIR(st.st_mode) ? "its folder is no directory" : strerror(errno));
        return;
    }
    space = (uint64_t)fs.f_bavail * fs.f_frsize;
    qpw_words_bytes(space, left, sizeof(left));
    if (fs.f_flag & ST_RDONLY)
        qpw_remark(c, QPW_REMARK_WARNING, "alert log", "--alerts FILE", "%s lies on a file system that is mounted read-only", path);
    else if (space < LEAST_SPACE)
        qpw_remark(c, QPW_REMARK_WARNING, "alert log", "make room, or --alerts FILE elsewhere",
                   "%s lies on a file system with only %s left: alerts would wait in the kernel, where room is limited", path, left);
    else
        qpw_remark(c, QPW_REMARK_OK, "alert log", NULL, "%s, %s left there", path, left);
}
