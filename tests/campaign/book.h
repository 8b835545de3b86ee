/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * book.h - the truth: what the generator opened, joined with what the witness saw of it. Both together give the rows
 * and findings that the program must have, to the packet and the byte.
 *
 * An exchange is entered before its first packet. A frame that no entry explains is an error of the campaign itself,
 * except what the hosts' own stacks send (ARP, neighbour discovery, ICMP), which is entered when it is seen.
 */
#ifndef TESTS_CAMPAIGN_BOOK_H
#define TESTS_CAMPAIGN_BOOK_H

#include "model.h"
#include "wire.h"

enum opener { REMOTE_OPENS, NODE_OPENS };
enum outcome { NOTHING_SEEN, ATTEMPTED, REFUSED, ANSWERED, DATA };
extern const char *const outcome_names[];

/* How its packets are treated if they are not simply judged. */
enum fate {
    FATE_JUDGED,
    FATE_TRANSIT,   /* not the node's */
    FATE_UNKNOWN,   /* direction unknown, verdict undecided, for `reason` */
    FATE_INFERRED,  /* direction of the opener, verdict undecided, for `reason` */
};

#define NO_REASON NULL

struct tuple {
    uint8_t local[16], remote[16]; /* of the node's end (in transit: the destination's) and the other */
    uint16_t local_port, remote_port;
    uint8_t protocol;
    uint8_t pad[3];
};

struct exchange {
    struct tuple tuple;
    const char *kind;
    unsigned step;
    enum opener opener;
    enum fate fate;
    const char *reason;     /* of an undecided fate; in transit: "echo" or "not-local" */
    enum outcome planned;   /* the outcome that the generator intends */
    bool answers_group;     /* its finding is that of the question to `group` */
    uint8_t group[16];
    bool older;             /* TCP that was open before the attachment */
    const char *owner;      /* name of the node's process, NULL: not given */
    /* Seen by the witness: */
    enum outcome outcome;
    bool opened, syn_ack, established, closed, payload[2];
    uint32_t isn, syn_ack_seq;
    bool multicast;
    uint64_t first_ns, last_ns;
    uint64_t packets[2], bytes[2]; /* [0] to the node */
    struct judgement judged;
    unsigned generation;    /* of the policy that judged it */
    uint32_t row;           /* its current row + 1; 0: none yet */
    struct exchange *before; /* an earlier one on the same tuple */
};

/* A row of the report's meters as text: "tcp/445 inbound other allowed in-tcp-445". */
struct row {
    char name[128];
    int64_t connections;
    uint64_t packets[2], bytes[2];
};

/* "unexpected inbound tcp/4444 10.77.0.66 > 10.77.0.1". */
struct expected_finding {
    char name[192];
    char service[64]; /* "inbound tcp/4444" */
    enum outcome outcome;
    bool multicast;
    bool current;     /* judged so by the policy in force when last touched */
    uint64_t changed_ns; /* Unix time of the frame that last raised it */
    uint64_t packets;
    const struct exchange *example;
};

struct parent {
    uint8_t remote[16];
    const char *rule;
    uint64_t last_ns;
};

struct names; /* name → number */

#define BOOK_ROWS 16384
#define BOOK_FINDINGS 16384
#define BOOK_PARENTS 1024
#define BOOK_REASONS 16
#define BOOK_JUNK 16 /* kinds of it */
struct book {
    struct exchange **exchanges;
    size_t n_exchanges, room;
    struct names *tuples;
    struct row rows[BOOK_ROWS];
    size_t n_rows;
    struct names *row_names;
    struct expected_finding findings[BOOK_FINDINGS];
    size_t n_findings;
    struct names *finding_names;
    struct names *ever; /* every finding of the whole run by name: its highest outcome + 1 */
    struct parent parents[BOOK_PARENTS];
    size_t n_parents;
    struct {
        const char *reason;
        uint64_t packets;
    } reasons[BOOK_REASONS];
    struct names *junk; /* undecodable frames, by their bytes: their kind + 1 */
    struct junk {
        const char *protocol, *reason;
    } junk_kinds[BOOK_JUNK];
    const struct policy *policy;
    unsigned generation;
    uint64_t frames[2], bytes[2]; /* since the program was attached */
    uint64_t unknown_frames;      /* frames that no entry explains */
    char unknown[512];            /* the first of them */
    char wrong[512];              /* the first failed expectation */
    uint64_t n_wrong;
    bool attached, ever_multicast;
};

struct book *book_new(void);
void book_free(struct book *b);

/* Enter an exchange; `from` is copied. Call it before its first packet, after draining earlier frames. */
struct exchange *book_enter(struct book *b, const struct exchange *from);

/*
 * Announce a frame that cannot be decoded: the protocol of its row ("-": even the addresses are unreadable) and the
 * reason, both literals. Call it before the frame is sent.
 */
void book_junk(struct book *b, const void *frame, size_t bytes, const char *protocol, const char *reason);

/* Return whether any exchange was ever entered on that tuple. */
bool book_knows(const struct book *b, const struct tuple *t);

/*
 * Return whether an answer to that new exchange would be the first of a parent there while a companion is open, or was
 * until lately: until its owner is decided, with its next packet, it is judged by whatever parents there are then.
 */
bool book_unsettles(const struct book *b, const struct exchange *e, uint64_t now_ns);

/* Fill a tuple from addresses as text. */
void book_tuple(struct tuple *ret, uint8_t protocol, const char *local, uint16_t local_port, const char *remote,
                uint16_t remote_port);

/* Enter a witnessed frame: for wire_drain(). */
void book_frame(void *book, const struct frame *f);

/* Put the policy, a new one or the same again, in force from the next frame on: everything is judged again. */
void book_policy(struct book *b, const struct policy *p);

/* Attach the program again from the next frame on: counters at zero, open exchanges are older than the attachment. */
void book_attach(struct book *b);

struct expected_finding *book_finding(struct book *b, const char *name);
struct row *book_row(struct book *b, const char *name);

/* Return "tcp 10.77.0.11:40000 > 10.77.0.1:445 (tcp_listed, step 17)". Static buffer. */
const char *book_words(const struct exchange *e);

#endif
