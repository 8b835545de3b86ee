/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files that `make install` puts beside the program: all exist, and each is valid for its reader. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"

static char root[64];
static char output[32768];

/* Run a command in the sources' folder; its output is in `output`, "@" stands for the root. Returns the exit status. */
static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *format, ...)
{
    char command[1024], all[2048];
    size_t got;
    va_list args;
    FILE *out;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    snprintf(all, sizeof(all), "R=%s; export R; { %s; } 2>&1", root, command);
    out = popen(all, "r");
    cr_assert(out);
    got = fread(output, 1, sizeof(output) - 1, out);
    output[got] = '\0';
    return WEXITSTATUS(pclose(out));
}

static bool is_there(const char *program)
{
    return run("command -v %s", program) == 0;
}

static void begin(void)
{
    strcpy(root, "/tmp/qportwatch-install.XXXXXX");
    cr_assert(mkdtemp(root));
    cr_assert_eq(run("make -s --no-print-directory install O=%s PREFIX=$R/usr SYSCONFDIR=$R/etc", QPW_BUILD), 0, "%s", output);
}

static void end(void)
{
    run("rm -rf $R");
}

TestSuite(install, .init = begin, .fini = end, .timeout = NETNS_TIMEOUT_S);

Test(install, everything_is_there_and_taken_by_its_reader)
{
    static const char *const files[] = {
        "usr/sbin/qportwatch", "usr/share/man/man8/qportwatch.8", "usr/share/man/man5/qportwatch-policy.5",
        "usr/share/man/man5/qportwatch-alerts.5", "usr/share/man/man7/qportwatch.7", "usr/share/man/man1/qportwatch-top.1",
        "usr/lib/systemd/system/qportwatch.service", "usr/lib/sysusers.d/qportwatch.conf",
        "usr/sbin/qportwatch-serve", "usr/share/man/man8/qportwatch-serve.8", "usr/lib/systemd/system/qportwatch-serve.service", "usr/lib/systemd/system/qportwatch-serve@.socket",
        "usr/lib/tmpfiles.d/qportwatch.conf", "etc/apparmor.d/qportwatch-serve",
        "usr/share/bash-completion/completions/qportwatch", "usr/share/zsh/site-functions/_qportwatch",
        "usr/share/doc/qportwatch/examples/policy", "usr/share/man/man7/qportwatch-metrics.7",
        "usr/share/doc/qportwatch/examples/prometheus/qportwatch.rules.yml",
        "usr/share/doc/qportwatch/examples/prometheus/alertmanager.example.yml",
        "usr/share/doc/qportwatch/examples/grafana/qportwatch.json", "usr/share/doc/qportwatch/qportwatch.spdx.json",
        "usr/share/doc/qportwatch/schemas/statement.json", "usr/share/doc/qportwatch/schemas/cluster-compare.json",
        "usr/share/doc/qportwatch/schemas/cluster-status.json", "usr/share/doc/qportwatch/schemas/cluster-report.json", "etc/logrotate.d/qportwatch", "etc/apparmor.d/qportwatch", "etc/qportwatch/qportwatch.conf", "etc/qportwatch/conf.d",
    };
    char path[160];
    json_t *sbom;

    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, files[i]);
        cr_expect_eq(access(path, F_OK), 0, "%s", path);
    }
    cr_expect_eq(run("$R/usr/sbin/qportwatch config show --config $R/etc/qportwatch/qportwatch.conf | grep -E '^iface +auto$'"), 0, "%s", output);
    cr_expect_eq(run("$R/usr/sbin/qportwatch policy check $R/usr/share/doc/qportwatch/examples/policy"), 0, "%s", output);
    sbom = json_load_file((snprintf(path, sizeof(path), "%s/usr/share/doc/qportwatch/qportwatch.spdx.json", root), path), 0, NULL);
    cr_assert(sbom);
    cr_expect_str_eq(json_string_value(json_object_get(sbom, "spdxVersion")), "SPDX-2.3");
    cr_expect_gt(json_array_size(json_object_get(sbom, "packages")), 10u);
    json_decref(sbom);
    if (is_there("systemd-analyze")) {
        cr_expect_eq(run("systemd-analyze verify --man=no $R/usr/lib/systemd/system/qportwatch.service"), 0, "%s", output);
        cr_expect_str_empty(output);
        cr_expect_eq(run("systemd-analyze security --no-pager --offline=true --threshold=30 $R/usr/lib/systemd/system/qportwatch.service"), 0, "%s",
                     output);
        cr_expect_eq(run("cd $R/usr/lib/systemd/system && sed 's/%%I/10.1.0.11:9101/' qportwatch-serve@.socket >instance.socket && "
                         "systemd-analyze verify --man=no ./qportwatch-serve.service ./instance.socket && rm instance.socket"), 0, "%s", output);
        cr_expect_str_empty(output);
        cr_expect_eq(run("systemd-analyze security --no-pager --offline=true --threshold=10 "
                         "$R/usr/lib/systemd/system/qportwatch-serve.service"), 0, "%s", output);
    }
    if (is_there("systemd-sysusers")) {
        cr_expect_eq(run("systemd-sysusers --root=$R $R/usr/lib/sysusers.d/qportwatch.conf && grep -q '^qportwatch-serve:' $R/etc/passwd && "
                         "grep '^qportwatch:.*:qportwatch-serve$' $R/etc/group && rm $R/etc/passwd $R/etc/group $R/etc/shadow $R/etc/gshadow "
                         "$R/etc/.pwd.lock"), 0, "%s", output);
    }
    if (is_there("apparmor_parser"))
        cr_expect_eq(run("apparmor_parser -Q -K $R/etc/apparmor.d/qportwatch-serve"), 0, "%s", output);
    if (is_there("apparmor_parser"))
        cr_expect_eq(run("apparmor_parser -Q -K $R/etc/apparmor.d/qportwatch"), 0, "%s", output);
    if (is_there("zsh"))
        cr_expect_eq(run("zsh -n $R/usr/share/zsh/site-functions/_qportwatch"), 0, "%s", output);
    /* rpmbuild -ta requires exactly one spec in the archive. */
    cr_expect_eq(run("make -s --no-print-directory dist O=$R/dist >/dev/null && tar -tzf $R/dist/qportwatch-*.tar.gz | grep '\\.spec$'; rm -r $R/dist"), 0, "%s", output);
    cr_expect(strchr(output, '\n') == strrchr(output, '\n') && strstr(output, ".spec\n"), "%s", output);
    if (is_there("rpmspec"))
        cr_expect_eq(run("rpmspec --query user/dist/rpm/qportwatch.spec"), 0, "%s",
                     output);
    if (is_there("logrotate"))
        cr_expect_eq(run("logrotate -d -s $R/state $R/etc/logrotate.d/qportwatch"), 0, "%s", output);
    /* The administrator's files stay, whatever is installed and removed. */
    cr_expect_eq(run("echo 'iface eth7' >$R/etc/qportwatch/qportwatch.conf; make -s --no-print-directory install uninstall O=%s PREFIX=$R/usr "
                     "SYSCONFDIR=$R/etc >/dev/null; cat $R/etc/qportwatch/qportwatch.conf; find $R -type f", QPW_BUILD), 0, "%s", output);
    snprintf(path, sizeof(path), "iface eth7\n%s/etc/qportwatch/qportwatch.conf\n", root);
    cr_expect_str_eq(output, path);
}

/* Check bash's completions of a line, one per line. */
static void offers(const char *line, const char *expected)
{
    run("PATH=$R/usr/sbin:$PATH; bash -c '. $R/usr/share/bash-completion/completions/qportwatch; COMP_LINE=\"%s\"; COMP_POINT=${#COMP_LINE}; "
        "_qportwatch; printf \"%%s\\n\" \"${COMPREPLY[@]}\"'", line);
    cr_expect_str_eq(output, expected, "%s: %s", line, output);
}

/* Return every command, one per line, subcommands by both their words; free it. */
static char *commands(void)
{
    char *all;

    cr_assert_eq(run("$R/usr/sbin/qportwatch complete '' | cut -f1 | grep -vE '^(policy|config|cluster)$'; "
                     "for c in policy config cluster; do $R/usr/sbin/qportwatch complete $c '' | cut -f1 | sed \"s/^/$c /\"; done"), 0);
    all = strdup(output);
    cr_assert(all);
    return all;
}

/* Write the options that a command's --help lists to $R/a, one per line. */
static void list_options(const char *command)
{
    cr_expect_eq(run("$R/usr/sbin/qportwatch %s --help | grep -oE '^ +(-[a-zA-Z?], )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | "
                     "grep -v -- --usage | sort -u >$R/a; test -s $R/a", command), 0, "%s", command);
}

Test(install, completion_offers_what_the_program_takes)
{
    char *all;

    offers("qportwatch po", "policy\n");
    offers("qportwatch policy su", "suggest\n");
    offers("qportwatch attach --mode=t", "tc\n");
    offers("qportwatch attach --mode x", "xdp\n");
    offers("qportwatch listeners --platform cn", "cnq-gcp\n");
    offers("qportwatch attach au", "auto\n");
    offers("qportwatch attach --alert=heart", "heartbeat_s=\n");
    offers("qportwatch policy check -p /etc/hostn", "/etc/hostname\n");
    offers("qportwatch nonsense x", "\n");
    /* All commands: completion offers exactly the options that --help lists. */
    all = commands();
    for (char *save, *command = strtok_r(all, "\n", &save); command; command = strtok_r(NULL, "\n", &save)) {
        list_options(command);
        cr_expect_eq(run("$R/usr/sbin/qportwatch complete %s -- | cut -f1 | tr -d = | sort -u >$R/b; test -s $R/b && diff $R/a $R/b", command),
                     0, "%s: %s", command, output);
    }
    free(all);
}

/* Each option stands in its command's section of the manual, among the common ones, or in qportwatch-top(1). */
Test(install, the_manual_has_each_option)
{
    char *all = commands();

    for (char *save, *command = strtok_r(all, "\n", &save); command; command = strtok_r(NULL, "\n", &save)) {
        list_options(command);
        run("awk '/^\\.S[SH] /{on = /^\\.SH (COMMON )?OPTIONS/ || /^\\.SS (.*, )?(%s)( |,|$)/} on' $R/usr/share/man/man8/qportwatch.8 %s | "
            "sed 's/\\\\f.//g; s/\\\\-/-/g' >$R/b; for o in $(grep -v -- --help $R/a); do grep -qE -- \"$o([^a-z-]|$)\" $R/b || echo $o; done",
            !strcmp(command, "check") ? "attach|check" : command, !strcmp(command, "top") ? "$R/usr/share/man/man1/qportwatch-top.1" : "");
        cr_expect_str_eq(output, "", "%s: %s", command, output);
    }
    free(all);
}
