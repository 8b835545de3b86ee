/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netns.h - network namespaces, veth pairs, processes and waiting, for tests as root.
 *
 * Namespaces have no name: they are held by a descriptor of the test's own process and are gone with
 * it, however it ends; with them go their devices and what is attached to these. Processes that were
 * started die with the test. So tests may run at the same time, and a crash leaves nothing behind.
 *
 * Set-up that fails ends the test (cr_assert) with the command and what it printed.
 */
#ifndef TESTS_LIB_NETNS_H
#define TESTS_LIB_NETNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * For what should happen at once. It is only ever waited out where something is broken, so it is far more than a
 * machine busy with other work needs; and a test may take several such waits before it is taken to hang.
 */
#define NETNS_DEADLINE_MS 180000
#define NETNS_TIMEOUT_S 900

struct netns {
    int fd; /* the namespace; -1: none */
};

/* Skips the test, with the reason, where namespaces and BPF programs cannot be had (not root). */
void netns_need_root(void);

/* A new namespace with `lo` up. The caller stays where it was. */
struct netns netns_new(void);

/* The namespace that the calling thread is in. */
struct netns netns_here(void);

/* Gives the descriptor back. */
void netns_close(struct netns *ns);

/* The calling thread is in that namespace from now on (libbpf, sockets, /proc/thread-self/net …). */
void netns_enter(const struct netns *ns);

/* Calls function(argument) inside and comes back. Returns what it returned. */
int netns_call(const struct netns *ns, int (*function)(void *argument), void *argument);

/*
 * A veth pair, one end in each namespace (which may be the same), both up, with no addresses and no
 * traffic of their own (no link-local address). MACs are 02:00:00:00:00:01 (a) and …:02 (b).
 */
void netns_veth(const struct netns *a, const char *name_a, const struct netns *b, const char *name_b);

/* The same with MACs of the caller's choice, for several pairs on one bridge. */
struct netns_end {
    const struct netns *ns;
    const char *name;
    const char *mac;
};
void netns_veth_pair(const struct netns_end *a, const struct netns_end *b);

/* "10.0.0.1/24" or "fd00::1/64", usable at once (no duplicate address detection). */
void netns_address(const struct netns *ns, const char *ifname, const char *address);

/* Interface index; 0: not there. */
unsigned netns_ifindex(const struct netns *ns, const char *ifname);

/* What the kernel counted on the interface. */
struct netns_statistics {
    uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets;
    uint64_t tx_dropped; /* not in tx_packets: on a veth, buffers that the peer's full queue refused */
};
struct netns_statistics netns_statistics(const struct netns *ns, const char *ifname);

/* ---- Commands and processes ---- */

/* Runs a shell command inside to its end; must succeed. */
void netns_run(const struct netns *ns, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Runs a shell command inside to its end. Standard output and error go into out (terminated, cut to
 * size; NULL: thrown away). Returns the exit status, 128 + signal where it was killed.
 */
int netns_output(const struct netns *ns, char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Starts a program (argv, searched in PATH) inside and returns its pid. Output goes to the file
 * `output` (made anew; NULL: thrown away). It is killed when the test's process ends.
 */
pid_t netns_start(const struct netns *ns, const char *output, char *const argv[]);

/*
 * The same in a process group of its own, all of which is ended with the test's process, however that ends: for what
 * changes its user, since such a process no longer dies with its parent.
 */
pid_t netns_start_group(const struct netns *ns, char *const argv[]);

/* As netns_start, but runs function(argument) in a child process and ends it with what it returned. */
pid_t netns_fork(const struct netns *ns, int (*function)(void *argument), void *argument);

/* Waits for the end of a process; killed and the test failed when it takes longer. Status as netns_output. */
int netns_wait(pid_t pid, int deadline_ms);

/*
 * This process, and what it starts from now on, goes before the machine's other work, where that is allowed: for tests
 * that measure how soon something happens, which is to be the program's own time. netns_last_in_line() is the opposite,
 * for what makes the load in such a test.
 */
void netns_first_in_line(void);
void netns_last_in_line(void);

/* Whether the process has ended already; its status is left to netns_wait(). */
bool netns_has_ended(pid_t pid);

/* Sends the signal and waits for the end. */
int netns_stop(pid_t pid, int signal_number);

/* ---- Waiting ---- */

/* Asks condition(argument) again and again, 5 ms apart, until it holds. false: it did not within the deadline. */
bool netns_until(bool (*condition)(void *argument), void *argument, int deadline_ms);

/* Waits until something listens on that TCP or bound UDP port inside; fails the test at the deadline. */
void netns_until_port(const struct netns *ns, const char *protocol, uint16_t port);

/* Waits until the file holds the text; fails the test, showing the file, at the deadline. */
void netns_until_file(const char *path, const char *text, int deadline_ms);

/* Waits until the interface has counted so many received packets. */
void netns_until_rx(const struct netns *ns, const char *ifname, uint64_t packets);

/* Sends one frame, as built, out of the interface. */
void netns_send(const struct netns *ns, const char *ifname, const void *frame, size_t bytes);

#endif
