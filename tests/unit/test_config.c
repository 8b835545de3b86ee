/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Settings from files: syntax, precedence, and reporting all errors at once, each with its line. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/settings.h"
#include "config/config.h"
#include "config/file.h"
#include "util/usage.h"

static char folder[64];
static char said[4096];

static void begin(void)
{
    strcpy(folder, "/tmp/qportwatch-config.XXXXXX");
    cr_assert(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    said[0] = '\0';
}

static void end(void)
{
    unlink("a.conf");
    unlink("b.conf");
    rmdir(folder);
}

TestSuite(config, .init = begin, .fini = end);

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    cr_assert(file);
    fputs(text, file);
    fclose(file);
}

static void hear(const char *line)
{
    strncat(said, line, sizeof(said) - strlen(said) - 2);
    strcat(said, "\n");
}

/* Return the settings of a.conf and then b.conf, if it exists. */
static struct qpw_settings read_files(void)
{
    struct qpw_settings config = {0};
    struct qpw_config_reader reader = {.argp = &qpw_attach_argp, .config = &config, .complain = hear};

    qpw_config_read_file(&reader, "a.conf");
    if (access("b.conf", F_OK) == 0)
        qpw_config_read_file(&reader, "b.conf");
    return config;
}

/* Return the settings in force as "name=value@FROM ". */
static const char *in_force(const struct qpw_settings *config)
{
    static char text[2048];

    *text = '\0';
    for (size_t i = 0; i < config->n; i++)
        if (!config->settings[i].replaced)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s=%s@%s ", config->settings[i].name,
                     config->settings[i].value, config->settings[i].from);
    return text;
}

Test(config, forms_of_a_line)
{
    struct qpw_settings config;

    put("a.conf", "# a comment\r\n\n  interval   30  # seconds\nmode=tc\n\tsyslog = \"udp:10.0.0.1 # 5\"  # quoted\npeer node2=10.1.0.12,fd00::1\n"
                  "keep\nno-tui off\nalert cap=50\nalert=flood=9\niface = eth0, eth1 bond#0\npolicy /srv/#1/policy\nwait=YES");
    config = read_files();
    cr_expect_str_empty(said);
    cr_expect_str_eq(in_force(&config),
                     "interval=30@a.conf:3 mode=tc@a.conf:4 syslog=udp:10.0.0.1 # 5@a.conf:5 peer=node2=10.1.0.12,fd00::1@a.conf:6 "
                     "keep=yes@a.conf:7 no-tui=no@a.conf:8 alert=cap=50@a.conf:9 alert=flood=9@a.conf:10 iface=eth0@a.conf:11 "
                     "iface=eth1@a.conf:11 iface=bond#0@a.conf:11 policy=/srv/#1/policy@a.conf:12 wait=yes@a.conf:13 ");
    qpw_config_clear(&config);
}

Test(config, everything_wrong_is_said_with_its_line)
{
    struct qpw_settings config;

    put("a.conf", "intervall 3\n--keep\ninterval\ninterval 4\ninterval 5\nkeep perhaps\nsyslog \"a\niface\nxyzzyxyzzy 1\nsyslog \"a\" b\n"
                  "iface eth0\niface eth1 eth0\nconfig /x\nhelp\n=3\nroot:$6$secret:20228:0\niface = eth2 \"eth3\"\n");
    config = read_files();
    cr_expect_str_eq(said,
                     "a.conf:1: unknown setting 'intervall'; did you mean 'interval'?\n"
                     "a.conf:2: '--keep': settings have no dashes in front; write 'keep'\n"
                     "a.conf:3: interval: its value is missing: interval SECONDS\n"
                     "a.conf:5: interval is given twice; first at a.conf:4\n"
                     "a.conf:6: keep perhaps: not yes or no\n"
                     "a.conf:7: the value begins with a double quote that is never closed\n"
                     "a.conf:8: iface: its value is missing: iface auto, or the names of interfaces\n"
                     "a.conf:9: unknown setting 'xyzzyxyzzy'; 'qportwatch config show' lists them\n"
                     "a.conf:10: 'b': only a comment may follow the closing quote\n"
                     "a.conf:12: eth0: named twice; first at a.conf:11\n"
                     "a.conf:13: unknown setting 'config'; 'qportwatch config show' lists them\n"
                     "a.conf:14: unknown setting 'help'; 'qportwatch config show' lists them\n"
                     "a.conf:15: the name of the setting is missing\n"
                     "a.conf:16: no setting: a line is 'name value' or 'name = value'; 'qportwatch config show' lists the names\n"
                     "a.conf:17: iface: \"eth3\": double quotes go around the whole value only\n",
                     "%s", said);
    qpw_config_clear(&config);
}

Test(config, a_later_file_replaces_and_lists_are_replaced_whole)
{
    struct qpw_settings config;

    put("a.conf", "interval 30\nmode tc\npeer 10.0.0.1\npeer 10.0.0.2\nplatform aws\nno-alerts\nalert cap=50\nalert flood=9\niface eth0 eth1\nkeep\n");
    put("b.conf", "interval 20\npeer 10.0.0.3\npolicy /p\nalerts /a\nalert cap=7\niface eth2\nkeep no\n");
    config = read_files();
    qpw_config_settle(&config, NULL, 0);
    cr_expect_str_empty(said);
    cr_expect_str_eq(in_force(&config), "mode=tc@a.conf:2 alert=flood=9@a.conf:8 interval=20@b.conf:1 peer=10.0.0.3@b.conf:2 policy=/p@b.conf:3 "
                                        "alerts=/a@b.conf:4 alert=cap=7@b.conf:5 iface=eth2@b.conf:6 keep=no@b.conf:7 ");
    qpw_config_clear(&config);
}

Test(config, the_command_line_replaces_both)
{
    struct qpw_settings config;

    put("a.conf", "interval 30\npeer 10.0.0.1\nplatform aws\nalerts /a\nalert cap=50\niface eth0\n");
    config = read_files();
    qpw_config_settle(&config, (const char *[]){"peers", "policy", "no-alerts", "alert", "iface"}, 5);
    cr_expect_str_eq(in_force(&config), "interval=30@a.conf:1 alert=cap=50@a.conf:5 ");
    cr_expect_str_eq(qpw_config_blame(&config, "--interval 30: too much"), "a.conf:1");
    cr_expect_null(qpw_config_blame(&config, "/a: cannot be opened"));
    qpw_config_clear(&config);
}

Test(config, what_is_no_text_or_no_file_is_an_error)
{
    struct qpw_settings config;
    FILE *file = fopen("a.conf", "w");

    fwrite("interval 3\0\nmode tc\n", 1, 20, file);
    for (int i = 0; i < 5000; i++)
        fputc('x', file);
    fclose(file);
    config = read_files();
    cr_expect_str_eq(said, "a.conf:1: a zero byte: this is no text\na.conf:3: the line is longer than 4096 bytes\n");
    cr_expect_str_eq(in_force(&config), "mode=tc@a.conf:2 ");
    qpw_config_clear(&config);
    said[0] = '\0';
    cr_expect_eq(qpw_config_read("/tmp", &qpw_attach_argp, &config, hear), 1u);
    cr_expect_eq(qpw_config_read("/nonexistent", &qpw_attach_argp, &config, hear), 1u);
    cr_expect_eq(qpw_config_read("/dev/null", &qpw_attach_argp, &config, hear), 0u);
    cr_expect_str_eq(said, "/tmp: is a directory, not a regular file\n/nonexistent: cannot be opened: No such file or directory\n");
}

/* ---- Options check their own values; all errors name the line ---- */

static int interval;
static char *seen[8];
static int n_seen;

static error_t take(int key, char *arg, struct argp_state *state)
{
    if (key == 'i')
        interval = (int)qpw_usage_number(state, "--interval", arg, 1, 100, "number");
    else if (key == ARGP_KEY_ARG)
        seen[n_seen++] = arg;
    else if (key == ARGP_KEY_NO_ARGS)
        qpw_usage_error(state, "missing argument");
    else
        return key == 'k' || key == 'u' ? 0 : ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct argp_option own_options[] = {
    {"interval", 'i', "N", 0, "", 0}, {"udp-timeout", 'u', "N", 0, "", 0}, {"keep", 'k', NULL, 0, "", 0}, {0}};
static const struct argp_child children[] = {{&qpw_config_argp, 0, NULL, 0}, {0}};
static const struct argp own = {.options = own_options, .parser = take, .args_doc = "IFACE", .children = children};

static struct qpw_settings parsed;

static void parse(int argc, char **argv)
{
    qpw_config_clear(&parsed);
    qpw_config_arguments_parse(&own, &qpw_attach_argp, argc, argv, NULL, &parsed);
}

Test(config, files_stand_below_the_command_line)
{
    char *argv[] = {"x", "--config", "a.conf", NULL}, *over[] = {"x", "-i", "5", "lo", "--config=a.conf", NULL};

    put("a.conf", "interval 30\nhosts /etc/hosts\niface eth0 eth1\nkeep\n");
    parse(3, argv);
    cr_expect_eq(interval, 30);
    cr_assert_eq(n_seen, 2);
    cr_expect_str_eq(seen[0], "eth0");
    cr_expect_str_eq(seen[1], "eth1");
    n_seen = 0;
    parse(5, over);
    cr_expect_eq(interval, 5);
    cr_assert_eq(n_seen, 1);
    cr_expect_str_eq(seen[0], "lo");
    qpw_config_clear(&parsed);
}

static void check_said(const char *expected)
{
    static char text[4096];
    int fd = open("/proc/self/fd/2", O_RDONLY);
    ssize_t length = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, 0);

    text[length > 0 ? length : 0] = '\0';
    if (strcmp(text, expected))
        _exit(99);
}

static void check_values(int status, void *arg)
{
    check_said("a.conf:3: unknown setting 'x'; 'qportwatch config show' lists them\n"
               "a.conf:1: interval 300: not a number from 1 to 100\nx: missing argument\n");
    _exit(status); /* _exit: memory that argp(3) holds when an option ends the program would count as a leak */
}

static void stderr_to_file(void)
{
    int fd = open("b.conf", O_RDWR | O_CREAT | O_TRUNC, 0600);

    cr_assert(fd >= 0 && dup2(fd, 2) == 2);
}

Test(config, values_that_are_wrong_are_all_said, .exit_code = 2)
{
    char *argv[] = {"x", "--config", "a.conf", NULL};

    put("a.conf", "interval 300\nkeep\nx 1\n");
    stderr_to_file();
    on_exit(check_values, NULL);
    parse(3, argv);
}
