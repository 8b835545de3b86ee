/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * translation.h - read maps left by another version of this program. Maps carry their type information (BTF), so keys
 * and values can be translated field by field, by name.
 */
#ifndef QPW_INSTANCE_TRANSLATION_H
#define QPW_INSTANCE_TRANSLATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;

/* A translation from one layout of a structure to another. */
struct qpw_translation {
    struct qpw_translation_copy {
        uint32_t from, to, size; /* byte offsets and length */
    } *copies;
    size_t n;
    uint32_t from_size, to_size; /* of the whole structures, in bytes */
};

/*
 * Build a translation: a field that the old layout lacks stays zero, one that the new layout lacks is dropped, and a
 * longer integer may take a shorter one. Returns 0; -EPROTO: fields of the same name do not fit; -ENOMEM. The caller
 * clears *ret.
 */
int qpw_translation_make(const struct btf *from, uint32_t from_id, const struct btf *to, uint32_t to_id, struct qpw_translation *ret);
void qpw_translation_clear(struct qpw_translation *translation);

/* Return whether both layouts are identical. */
bool qpw_translation_is_same(const struct qpw_translation *translation);

/* Translate from_size bytes at `from` to to_size bytes at `to`, all of which are written. */
void qpw_translation_apply(const struct qpw_translation *translation, const void *from, void *to);

struct qpw_map_translation {
    struct qpw_translation key, value; /* per-CPU map: of one value */
    uint32_t entries;             /* the smaller of both maps' capacities */
};

/*
 * Build a translation from a map of another version to this version's map of the same name. Needs CAP_SYS_ADMIN.
 * Returns 0, or a negative errno: -EPROTO if they do not fit or lack types. The caller clears *ret.
 */
int qpw_map_translation_make(int from_fd, int to_fd, struct qpw_map_translation *ret);
void qpw_map_translation_clear(struct qpw_map_translation *translation);

/* Copy all entries from one map to the other; of an array, only the non-zero ones. Returns 0 or a negative errno. */
int qpw_map_copy(int from_fd, int to_fd);

#endif
