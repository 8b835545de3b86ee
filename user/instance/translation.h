/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * translation.h - reads what another version of this program left in its maps. Maps carry their own type information (BTF), so
 * that keys and values can be put into this version's form field by field, by the names of the fields.
 */
#ifndef QPW_INSTANCE_TRANSLATION_H
#define QPW_INSTANCE_TRANSLATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;

/* From one form of a structure to another. */
struct qpw_translation {
    struct qpw_translation_copy {
        uint32_t from, to, size; /* offsets and bytes */
    } *copies;
    size_t n;
    uint32_t from_size, to_size; /* of the whole, in bytes */
};

/*
 * A field that the old form lacks stays zero, one that the new form lacks is left out, a longer integer takes a shorter one.
 * 0; -EPROTO: two fields of one name that do not fit each other; -ENOMEM. *ret is the caller's to clear.
 */
int qpw_translation_make(const struct btf *from, uint32_t from_id, const struct btf *to, uint32_t to_id, struct qpw_translation *ret);
void qpw_translation_clear(struct qpw_translation *translation);

/* Whether both forms are one. */
bool qpw_translation_is_same(const struct qpw_translation *translation);

/* from: from_size bytes; to: to_size bytes, all of which are written. */
void qpw_translation_apply(const struct qpw_translation *translation, const void *from, void *to);

struct qpw_map_translation {
    struct qpw_translation key, value; /* one value of a per-CPU map */
    uint32_t entries;             /* that both maps have room for */
};

/*
 * For entries of a map of another version, to be put into this version's map of the same name. Takes CAP_SYS_ADMIN. 0, or
 * a negative errno: -EPROTO where they do not fit, or carry no types. *ret is the caller's to clear.
 */
int qpw_map_translation_make(int from_fd, int to_fd, struct qpw_map_translation *ret);
void qpw_map_translation_clear(struct qpw_map_translation *translation);

/*
 * Puts all entries of the one map into the other; in an array those that are not zero. 0 or a negative errno.
 */
int qpw_map_copy(int from_fd, int to_fd);

#endif
