/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Syslog output: messages as in RFC 5424, received by a real rsyslog over each kind of socket; the journal's format. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alert/log/syslog.h"
#include "alerts.h"
#include "util/names.h"

#define FIRST_TRIAL 1000000u /* numbers from here on only test whether somebody listens */
#define TRIALS 600
#define TRIAL_MS 100
#define MESSAGE_MS 60000 /* only reached if a message is lost */

static char dir[64];
static struct qpw_record record;

/* Keep a record as the engine makes it. */
static int keep(void *data, const struct qpw_record *r)
{
    memcpy(data, r, sizeof(*r));
    for (size_t i = 0; i < r->n_facts; i++) /* values point into the record's own arena */
        record.facts[i].value = record.arena + (r->facts[i].value - r->arena);
    return 0;
}

static void make_record(void)
{
    struct qpw_record_writer writer = {keep, &record};
    struct qpw_engine_context context = plain_context();
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ANSWERED, (struct span){T0, T0});
    struct qpw_engine *e;

    cr_assert_eq(qpw_engine_new(NULL, &writer, &e), 0);
    qpw_engine_context(e, &context, T0);
    qpw_engine_findings(e, &row, 1, T0);
    qpw_engine_free(e);
    context = plain_context();
    record.host = "node1";
}

static void begin(void)
{
    strcpy(dir, "/tmp/qpw-syslog-XXXXXX");
    cr_assert(mkdtemp(dir));
    make_record();
}

static void finish(void)
{
    static const char *const names[] = {"conf", "pipe", "log", "pid", "journal"};
    char path[128];

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

TestSuite(syslog, .init = begin, .fini = finish, .timeout = 600);

Test(syslog, the_message_is_rfc_5424)
{
    char message[4096], expected[128];
    size_t length = qpw_syslog_message(&record, message, sizeof(message));

    cr_expect_eq(strlen(message), length);
    snprintf(expected, sizeof(expected),
             "<82>1 2026-03-01T00:00:00.000000Z node1 qportwatch %d inbound-answered [qportwatch@32473 ",
             (int)getpid());
    cr_expect_eq(strncmp(message, expected, strlen(expected)), 0, "%s", message);
    cr_expect(strstr(message, " signature_id=\"1000103\" severity=\"high\" flow_id=\""));
    cr_expect(strstr(message, " src_ip=\"10.0.0.5\" dest_ip=\"10.0.0.1\" dest_port=\"4444\""));
    cr_expect(strstr(message, "] node1 (10.0.0.1) answered 10.0.0.5 on tcp/4444: 3 packets"), "%s", message);
}

Test(syslog, values_are_escaped_and_lines_stay_one)
{
    char message[4096];

    record.n_facts = 0;
    qpw_record_fact(&record, "process", "a\"b]c\\d\ne");
    snprintf(record.text, sizeof(record.text), "one\ntwo");
    qpw_syslog_message(&record, message, sizeof(message));
    cr_expect(strstr(message, " process=\"a\\\"b\\]c\\\\d e\""), "%s", message);
    cr_expect(strstr(message, "] one two"));
    cr_expect_not(strchr(message, '\n'));
}

Test(syslog, a_small_buffer_is_never_overrun)
{
    char message[300];

    cr_expect_eq(qpw_syslog_message(&record, message, sizeof(message)), sizeof(message) - 1);
    cr_expect_eq(strlen(message), sizeof(message) - 1);
}

Test(syslog, targets)
{
    static const char *const good[] = {"unix", "unix:/run/x", "udp:10.0.0.1", "udp:10.0.0.1:6514", "tcp:[fd00::1]:601",
                                       "tcp:fd00::1", "tcp:[fd00::1]", "journald", "journald:/run/j"};
    static const char *const bad[] = {"",
                                      "unixx",
                                      "udp",
                                      "udp:",
                                      "udp:host",
                                      "udp:10.0.0.1:0",
                                      "udp:10.0.0.1:x",
                                      "tcp:10.0.0.1:65536",
                                      "unix:",
                                      "journal",
                                      "tcp:[fd00::1]x"};
    struct qpw_syslog *s;
    struct qpw_error err;

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        cr_expect_eq(qpw_syslog_open(good[i], &s, &err), 0, "%s", good[i]);
        qpw_syslog_close(s);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        cr_expect_eq(qpw_syslog_open(bad[i], &s, &err), -EINVAL, "%s", bad[i]);
}

Test(syslog, without_a_receiver_records_are_counted_and_nothing_waits)
{
    char target[128];
    struct qpw_syslog *s;
    uint64_t sent, dropped;

    snprintf(target, sizeof(target), "unix:%s/nobody", dir);
    cr_assert_eq(qpw_syslog_open(target, &s, NULL), 0);
    for (unsigned i = 0; i < 1000; i++)
        cr_expect_lt(qpw_syslog_write(s, &record), 0);
    qpw_syslog_counts(s, &sent, &dropped);
    cr_expect_eq(sent, 0);
    cr_expect_eq(dropped, 1000);
    qpw_syslog_close(s);
}

Test(syslog, the_journal_gets_fields)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    char target[128], entry[8192];
    struct qpw_syslog *s;
    ssize_t n;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/journal", dir);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    snprintf(target, sizeof(target), "journald:%s/journal", dir);
    cr_assert_eq(qpw_syslog_open(target, &s, NULL), 0);
    cr_assert_eq(qpw_syslog_write(s, &record), 0);
    n = recv(fd, entry, sizeof(entry) - 1, 0);
    cr_assert_gt(n, 0);
    entry[n] = '\0';
    cr_expect_eq(strncmp(entry, "MESSAGE=node1 (10.0.0.1) answered 10.0.0.5 on tcp/4444: 3 packets", 65), 0, "%s", entry);
    cr_expect(strstr(entry, "\nPRIORITY=2\n"));
    cr_expect(strstr(entry, "\nSYSLOG_IDENTIFIER=qportwatch\n"));
    cr_expect(strstr(entry, "\nQPORTWATCH_DEST_PORT=4444\n"));
    cr_expect(strstr(entry, "\nQPORTWATCH_OUTCOME=answered\n"));
    qpw_syslog_close(s);
    close(fd);
}

/* Use the loopback of a new network namespace, if possible, so that other runs of this test have other ports. */
static void own_loopback(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = unshare(CLONE_NEWNET) ? -1 : socket(AF_INET, SOCK_DGRAM, 0);

    if (fd < 0)
        return;
    cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &lo), 0, "%s", strerror(errno));
    close(fd);
}

/* Return a free port of the loopback. */
static unsigned free_port(int type)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);
    socklen_t size = sizeof(a);

    cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    close(fd);
    return ntohs(a.sin_port);
}

static pid_t start_rsyslog(unsigned udp, unsigned tcp)
{
    char conf[128], pid_file[128];
    FILE *f;
    pid_t pid;

    snprintf(conf, sizeof(conf), "%s/conf", dir);
    snprintf(pid_file, sizeof(pid_file), "%s/pid", dir);
    f = fopen(conf, "w");
    cr_assert(f);
    fprintf(f,
            "global(workDirectory=\"%s\")\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\nmodule(load=\"imudp\")\n"
            "module(load=\"imtcp\")\ninput(type=\"imuxsock\" Socket=\"%s/log\" UseSpecialParser=\"off\" "
            "CreatePath=\"off\")\n"
            "input(type=\"imudp\" port=\"%u\" address=\"127.0.0.1\")\ninput(type=\"imtcp\" port=\"%u\" "
            "address=\"127.0.0.1\")\n"
            "template(name=\"t\" type=\"string\" "
            "string=\"%%inputname%%|%%protocol-version%%|%%syslogseverity-text%%|%%hostname%%|"
            "%%app-name%%|%%msgid%%|%%structured-data%%|%%msg%%\\n\")\naction(type=\"ompipe\" pipe=\"%s/pipe\" "
            "template=\"t\")\n",
            dir, dir, udp, tcp, dir);
    fclose(f);
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(null, 1);
        dup2(null, 2);
        execlp("rsyslogd", "rsyslogd", "-n", "-f", conf, "-i", pid_file, (char *)NULL);
        execl("/usr/sbin/rsyslogd", "rsyslogd", "-n", "-f", conf, "-i", pid_file, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* Return the next line that rsyslog forwards, or NULL after that time. Static. */
static const char *next_line(int fd, int milliseconds)
{
    static char text[16384], line[8192];
    static size_t held;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char *newline;

    while (!(newline = memchr(text, '\n', held))) {
        ssize_t n;

        if (poll(&p, 1, milliseconds) != 1)
            return NULL;
        n = read(fd, text + held, sizeof(text) - held);
        if (n <= 0)
            return NULL;
        held += n;
    }
    snprintf(line, sizeof(line), "%.*s", (int)(newline - text), text);
    held -= newline + 1 - text;
    memmove(text, newline + 1, held);
    return line;
}

/* Write the record with that number. Returns the result. */
static int write_numbered(struct qpw_syslog *s, uint64_t number)
{
    record.flow_id = number;
    return qpw_syslog_write(s, &record);
}

/* Return the line of the record with that number, skipping others; NULL after that time. */
static const char *line_of(int fd, uint64_t number, int milliseconds)
{
    char wanted[64];
    const char *line;

    snprintf(wanted, sizeof(wanted), " flow_id=\"%llu\"", (unsigned long long)number);
    while ((line = next_line(fd, milliseconds)) && !strstr(line, wanted))
        ;
    return line;
}

/*
 * Send numbered trial messages until one arrives, which shows that rsyslog listens. Returns the connection. Later
 * trials may still arrive: line_of() skips them.
 */
static struct qpw_syslog *until_it_listens(int pipe_fd, const char *target)
{
    static uint64_t number = FIRST_TRIAL;

    for (unsigned i = 0; i < TRIALS; i++) {
        struct qpw_syslog *s;

        cr_assert_eq(qpw_syslog_open(target, &s, NULL), 0);
        write_numbered(s, ++number);
        if (line_of(pipe_fd, number, TRIAL_MS))
            return s;
        qpw_syslog_close(s);
    }
    cr_assert_fail("rsyslog does not listen on %s", target);
    return NULL;
}

Test(syslog, a_real_rsyslog_receives_it_over_each_socket)
{
    unsigned udp, tcp;
    char targets[3][128], path[128];
    static const char *const inputs[] = {"imuxsock", "imudp", "imtcp"};
    struct qpw_syslog *s;
    pid_t pid;
    int fd;

    if (access("/usr/sbin/rsyslogd", X_OK) < 0)
        cr_skip_test("rsyslogd is not there");
    own_loopback();
    udp = free_port(SOCK_DGRAM);
    tcp = free_port(SOCK_STREAM);
    snprintf(path, sizeof(path), "%s/pipe", dir);
    cr_assert_eq(mkfifo(path, 0600), 0);
    fd = open(path, O_RDWR | O_NONBLOCK);
    pid = start_rsyslog(udp, tcp);
    snprintf(targets[0], sizeof(targets[0]), "unix:%s/log", dir);
    snprintf(targets[1], sizeof(targets[1]), "udp:127.0.0.1:%u", udp);
    snprintf(targets[2], sizeof(targets[2]), "tcp:127.0.0.1:%u", tcp);
    for (unsigned i = 0; i < 3; i++) {
        char head[128];

        s = until_it_listens(fd, targets[i]);
        for (unsigned n = 0; n < 5; n++) {
            const char *line;

            cr_assert_eq(write_numbered(s, 1000 * i + n + 1), 0);
            line = line_of(fd, 1000 * i + n + 1, MESSAGE_MS);
            cr_assert(line, "%s: message %u did not come", targets[i], n);
            snprintf(head, sizeof(head),
                     "%s|1|crit|node1|qportwatch|inbound-answered|[qportwatch@32473 signature_id=\"1000103\"",
                     inputs[i]);
            cr_expect_eq(strncmp(line, head, strlen(head)), 0, "%s", line);
            cr_expect(strstr(line, "|node1 (10.0.0.1) answered 10.0.0.5 on tcp/4444: 3 packets") ||
                      strstr(line, "| node1 (10.0.0.1) answered 10.0.0.5 on tcp/4444: 3 packets"), "%s", line);
        }
        qpw_syslog_close(s);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(fd);
}
