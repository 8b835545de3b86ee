/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cmd_policy_edit.c - qportwatch policy edit: open the policy in force in an editor, as visudo does for sudoers.
 *
 *   lock -> a copy with the proposals -> editor -> check -> difference -> "install?" -> reload
 *
 * The file itself is written only after all that, and restored if the auditor refuses it.
 */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "advice/proposals.h"
#include "auditor/reload.h"
#include "cmd/cmd.h"
#include "cmd/policy/policy_cmd.h"
#include "cmd/policy/policy_edit.h"
#include "cmd/settings.h"
#include "control/changelist.h"
#include "instance/kernel_words.h"
#include "policy/compile/compile.h"
#include "policy/lang/statements.h"
#include "policy/tools/check.h"
#include "policy/tools/diff.h"
#include "util/usage.h"
#include "words/printer.h"

#define MOST_REMARKS 12u

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct qpw_edit *e = state->input;

    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (e->file)
        qpw_usage_error(state, "one policy only: '%s' is one more", arg);
    e->file = arg;
    return 0;
}

/* ---- The editor ---- */

/* Run the editor. As in system(3), signals from the terminal may interrupt the editor but not this process. */
static int run_editor(const struct qpw_edit *e, struct qpw_error *err)
{
    const char *editor = getenv("VISUAL");
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    char command[512];
    int status = -1;
    pid_t pid;

    if (!editor || !*editor)
        editor = getenv("EDITOR");
    if (!editor || !*editor)
        editor = access("/usr/bin/editor", X_OK) == 0 ? "editor" : "vi";
    if ((size_t)snprintf(command, sizeof(command), "%s \"$1\"", editor) >= sizeof(command))
        return qpw_fail(err, -EINVAL, "the name of the editor is too long");
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        sigaction(SIGINT, &interrupt, NULL);
        sigaction(SIGQUIT, &quit, NULL);
        execl("/bin/sh", "sh", "-c", command, "sh", e->copy, (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return qpw_fail(err, -ECANCELED, "the editor (%s) failed; nothing was changed", editor);
    return 0;
}

static int read_edited(struct qpw_edit *e, struct qpw_error *err)
{
    size_t length;
    char *text;
    int r = qpw_read_whole(e->copy, &text, &length, err);

    if (r < 0)
        return r;
    free(e->edited);
    e->edited = strlen(text) == length ? qpw_proposals_take(text) : NULL;
    if (!e->edited && strlen(text) != length)
        r = qpw_fail(err, -EINVAL, "%s holds a zero byte", e->target.path);
    else if (!e->edited)
        r = qpw_fail(err, -ENOMEM, "out of memory");
    free(text);
    return r;
}

/* ---- The check ---- */

static void print_remarks(const struct qpw_policy *policy)
{
    struct qpw_remarks remarks = {0};

    if (qpw_policy_check(policy, time(NULL), &remarks) < 0)
        return;
    for (size_t i = 0; i < remarks.n && i < MOST_REMARKS; i++) {
        const struct qpw_policy_remark *remark = &remarks.list[i];

        if (remark->where.file)
            qpw_put_lines(stdout, "%s:%u: %s", remark->where.file, remark->where.line, remark->text);
        else
            qpw_put_lines(stdout, "%s", remark->text);
    }
    if (remarks.n > MOST_REMARKS)
        printf("and %zu more remarks; 'qportwatch policy check' lists them\n", remarks.n - MOST_REMARKS);
    qpw_remarks_clear(&remarks);
}

/* Parse the edited text as if it were in the file, and compile it as the auditor will. */
static int read_policy(const struct qpw_edit *e, struct qpw_policy *ret, struct qpw_faults *faults, struct qpw_error *err)
{
    struct qpw_policy_source source = {
        .name = e->target.path, .text = e->edited, .length = strlen(e->edited), .faults = faults};
    struct qpw_compile_context context = {.now = time(NULL)};
    struct qpw_compiled compiled = {0};
    struct qpw_registry names = {0};
    int r = qpw_policy_parse(&source, ret, err);

    if (r < 0)
        return r;
    r = qpw_policy_compile(ret, &context, &names, &compiled, err);
    if (r < 0)
        qpw_policy_clear(ret);
    qpw_compiled_clear(&compiled);
    qpw_registry_clear(&names);
    return r;
}

/* Print the changes in words, compared with the file, or with the built-in policy that it replaces. */
static void print_difference(const struct qpw_edit *e, const struct qpw_policy *after)
{
    struct qpw_differences differences = {0};
    struct qpw_policy before = {0};
    struct qpw_error err;
    int r = qpw_policy_parse_text(e->target.path, e->base, strlen(e->base), &before, &err);

    if (r == 0)
        r = qpw_policy_diff(&before, after, time(NULL), &differences);
    for (size_t i = 0; r == 0 && i < differences.n; i++)
        qpw_put_lines(stdout, "  %s", differences.list[i].text);
    if (r == 0 && !differences.n)
        printf("  no effective change\n");
    if (r < 0)
        printf("  the difference is not known: the policy before it cannot be read\n");
    qpw_differences_clear(&differences);
    qpw_policy_clear(&before);
}

/* ---- Questions ---- */

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

#define NOBODY '\0'

/* Ask until the answer starts with one of `letters`, and return that letter. NOBODY: end of input, or interrupted. */
static char question(const char *text, const char *letters)
{
    char line[64];

    for (;;) {
        printf("%s: ", text);
        fflush(stdout);
        if (stopped || !fgets(line, sizeof(line), stdin)) {
            printf("\n");
            return NOBODY;
        }
        if (*line && *line != '\n' && strchr(letters, *line))
            return *line;
    }
}

/* ---- Install ---- */

static int reload(const struct qpw_edit *e, struct qpw_error *err)
{
    struct qpw_policy_options options = {0};
    struct qpw_changelist changes;
    json_t *answer = NULL;
    char text[16384];
    int status;

    if (strcmp(e->target.path, e->meta.policy_path))
        options.policy_file = e->target.path; /* replaces a built-in policy or another file */
    status = qpw_reload(&options, &answer, err);
    if (status == QPW_EXIT_OK && qpw_changelist_read(answer, &changes) == 0) {
        qpw_put_lines(stdout, "%s is in force%s", e->target.path, qpw_changelist_text(&changes, text, sizeof(text)));
        qpw_changelist_clear(&changes);
    }
    json_decref(answer);
    return status;
}

/* Warn if the configuration names another policy, which the auditor's next start would use. */
static void print_configured(const struct qpw_edit *e)
{
    struct qpw_policy_options configured = {0};
    char whole[PATH_MAX];

    qpw_policy_configured(&configured);
    if (configured.platform ||
        (configured.policy_file && (!realpath(configured.policy_file, whole) || strcmp(whole, e->target.path))))
        printf("the next start of the auditor takes another policy, %s: %s; set 'policy %s' there\n",
               configured.platform ? configured.platform : configured.policy_file, configured.set_in, e->target.path);
    qpw_policy_options_clear(&configured);
}

static int install(struct qpw_edit *e, struct qpw_error *err)
{
    struct qpw_error why;
    int status;

    if (qpw_policy_file_check(&e->target, err) < 0 || qpw_policy_file_write(&e->target, e->edited, err) < 0)
        return QPW_EXIT_FAILED;
    if (!e->attached) {
        printf("%s is written; nothing is attached, so it takes effect with the next 'attach'\n", e->target.path);
        print_configured(e);
        return QPW_EXIT_OK;
    }
    status = reload(e, err);
    if (status != QPW_EXIT_OK && qpw_policy_file_back(&e->target, &why) < 0)
        *err = why;
    else if (status == QPW_EXIT_OK)
        print_configured(e);
    else
        fprintf(stderr, "qportwatch policy edit: the reload was refused; %s is as it was\n", e->target.path);
    return status;
}

/*
 * Check the edited text and ask how to continue. 'e': edit again; 'x': leave unchanged; 'y': install; NOBODY: nobody
 * answered.
 */
static char look(struct qpw_edit *e, struct qpw_error *err)
{
    struct qpw_policy policy = {0};
    struct qpw_faults faults = {0};

    if (read_edited(e, err) < 0 || read_policy(e, &policy, &faults, err) < 0) {
        qpw_policy_fail_all("edit", &faults, err, 0);
        qpw_faults_clear(&faults);
        fprintf(stderr, "lines are those of the edited text; %s itself is unchanged\n", e->target.path);
        return question("What now? (e)dit again, e(x)it without saving", "ex");
    }
    if (!strcmp(e->edited, e->base) && !e->fresh) {
        printf("%s: not changed\n", e->target.path);
        qpw_policy_clear(&policy);
        return 'x';
    }
    print_remarks(&policy);
    printf("%s:\n", e->target.path);
    print_difference(e, &policy);
    qpw_policy_clear(&policy);
    return question(e->attached ? "Install and reload? (y)es, (e)dit again, e(x)it without saving"
                                : "Install? (y)es, (e)dit again, e(x)it without saving", "yex");
}

static int edit(struct qpw_edit *e, struct qpw_error *err)
{
    char choice = 'e';

    while (choice == 'e') {
        if (run_editor(e, err) < 0)
            return QPW_EXIT_FAILED;
        choice = look(e, err);
    }
    if (choice == NOBODY) {
        qpw_fail(err, -ENOTTY, "not installed: nobody answered%s", isatty(STDIN_FILENO) ? "" : ", as standard input is no terminal");
        return QPW_EXIT_FAILED;
    }
    return choice == 'y' ? install(e, err) : QPW_EXIT_OK;
}

int qpw_policy_edit_main(int argc, char **argv)
{
    static const struct argp argp = {
        NULL, parse, "[FILE]",
        "Opens the policy in force (or FILE) in $VISUAL or $EDITOR, with what 'policy suggest' proposes behind it, commented "
        "out. What comes of it is checked and compared; confirmed, it takes the file's place and is put in force.\v"
        "A policy with an error is never installed, and a refused reload leaves the file as it was. Where the policy in force "
        "is built in, " QPW_POLICY_DEFAULT_PATH " is made.",
        NULL, NULL, NULL};
    struct sigaction stop = {.sa_handler = on_signal}; /* interrupts fgets(), so that the copy is removed in any case */
    struct qpw_edit e = {.target = {.lock = -1}};
    struct qpw_error err = {""};
    int status = QPW_EXIT_FAILED;

    qpw_arguments_parse(&argp, argc, argv, &e);
    qpw_quiet_libbpf();
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    if (qpw_edit_begin(&e, &err) == 0)
        status = edit(&e, &err);
    if (status != QPW_EXIT_OK)
        qpw_policy_fail("edit", &err, status);
    if (e.copy)
        unlink(e.copy);
    if (e.fresh && !e.target.written)
        qpw_edit_remove_folder(e.target.path); /* created in vain; stays if it is not empty */
    qpw_policy_file_close(&e.target);
    free(e.base);
    free(e.copy);
    free(e.edited);
    return status;
}
