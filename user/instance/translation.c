/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/translation.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"

#define DEPTH 16 /* limit on nested structures */

struct making {
    const struct btf *from, *to;
    struct qpw_translation *translation;
    unsigned depth;
};

static int merge_types(struct making *m, uint32_t from_id, uint32_t from_at, uint32_t to_id, uint32_t to_at);

/* Append a copy, merged with the last one if both sides are adjacent. */
static int add_copy(struct qpw_translation *l, uint32_t from, uint32_t to, uint32_t size)
{
    struct qpw_translation_copy *more, *last = l->n ? &l->copies[l->n - 1] : NULL;

    if (last && last->from + last->size == from && last->to + last->size == to) {
        last->size += size;
        return 0;
    }
    more = QPW_ADD(l->copies, l->n);
    if (!more)
        return -ENOMEM;
    *more = (struct qpw_translation_copy){from, to, size};
    l->n++;
    return 0;
}

/* Translate integers and enumerations. */
static int merge_scalars(struct making *m, const struct btf_type *from, uint32_t from_at, const struct btf_type *to, uint32_t to_at)
{
    if (to->size < from->size)
        return -EPROTO; /* the value may not fit */
    if (__BYTE_ORDER == __BIG_ENDIAN)
        to_at += to->size - from->size;
    return add_copy(m->translation, from_at, to_at, from->size);
}

static int merge_arrays(struct making *m, const struct btf_type *from, uint32_t from_at, const struct btf_type *to, uint32_t to_at)
{
    const struct btf_array *a = btf_array(from), *b = btf_array(to);
    uint32_t n = a->nelems < b->nelems ? a->nelems : b->nelems;
    int64_t from_size = btf__resolve_size(m->from, a->type), to_size = btf__resolve_size(m->to, b->type);
    int r = from_size < 0 || to_size < 0 ? -EPROTO : 0;

    for (uint32_t i = 0; r == 0 && i < n; i++)
        r = merge_types(m, a->type, from_at + i * (uint32_t)from_size, b->type, to_at + i * (uint32_t)to_size);
    return r;
}

static const struct btf_member *member_named(const struct btf *btf, const struct btf_type *type, const char *name, uint32_t *ret_index)
{
    for (uint32_t i = 0; i < btf_vlen(type); i++)
        if (!strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), name)) {
            *ret_index = i;
            return &btf_members(type)[i];
        }
    return NULL;
}

static int merge_structs(struct making *m, const struct btf_type *from, uint32_t from_at, const struct btf_type *to, uint32_t to_at)
{
    const struct btf_member *a, *b;
    uint32_t at;
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < btf_vlen(to); i++) {
        b = &btf_members(to)[i];
        a = member_named(m->from, from, btf__name_by_offset(m->to, b->name_off), &at);
        if (!a)
            continue;
        if (btf_member_bitfield_size(from, at) || btf_member_bitfield_size(to, i))
            return -EPROTO;
        r = merge_types(m, a->type, from_at + btf_member_bit_offset(from, at) / 8, b->type, to_at + btf_member_bit_offset(to, i) / 8);
    }
    return r;
}

/* Translate a section of variables, by their names. */
static int merge_sections(struct making *m, const struct btf_type *from, const struct btf_type *to)
{
    const struct btf_var_secinfo *a, *b;
    const struct btf_type *x, *y;
    int r = 0;

    for (uint32_t i = 0; i < btf_vlen(to); i++)
        for (uint32_t j = 0; r == 0 && j < btf_vlen(from); j++) {
            a = &btf_var_secinfos(from)[j];
            b = &btf_var_secinfos(to)[i];
            x = btf__type_by_id(m->from, a->type);
            y = btf__type_by_id(m->to, b->type);
            if (!strcmp(btf__name_by_offset(m->from, x->name_off), btf__name_by_offset(m->to, y->name_off)))
                r = merge_types(m, x->type, a->offset, y->type, b->offset);
        }
    return r;
}

static int merge_types(struct making *m, uint32_t from_id, uint32_t from_at, uint32_t to_id, uint32_t to_at)
{
    int from_plain = btf__resolve_type(m->from, from_id), to_plain = btf__resolve_type(m->to, to_id), r = -EPROTO;
    const struct btf_type *from = from_plain < 0 ? NULL : btf__type_by_id(m->from, (uint32_t)from_plain);
    const struct btf_type *to = to_plain < 0 ? NULL : btf__type_by_id(m->to, (uint32_t)to_plain);

    if (!from || !to || m->depth >= DEPTH)
        return -EPROTO;
    m->depth++;
    if ((btf_is_int(from) || btf_is_enum(from)) && (btf_is_int(to) || btf_is_enum(to)))
        r = merge_scalars(m, from, from_at, to, to_at);
    else if (btf_is_array(from) && btf_is_array(to))
        r = merge_arrays(m, from, from_at, to, to_at);
    else if (btf_is_composite(from) && btf_kind(from) == btf_kind(to))
        r = merge_structs(m, from, from_at, to, to_at);
    else if (btf_is_datasec(from) && btf_is_datasec(to))
        r = merge_sections(m, from, to);
    m->depth--;
    return r;
}

int qpw_translation_make(const struct btf *from, uint32_t from_id, const struct btf *to, uint32_t to_id, struct qpw_translation *ret)
{
    int64_t from_size = btf__resolve_size(from, from_id), to_size = btf__resolve_size(to, to_id);
    struct qpw_translation translation = {.from_size = (uint32_t)from_size, .to_size = (uint32_t)to_size};
    struct making m = {.from = from, .to = to, .translation = &translation};
    int r = from_size < 0 || to_size < 0 ? -EPROTO : merge_types(&m, from_id, 0, to_id, 0);

    if (r < 0) {
        qpw_translation_clear(&translation);
        return r;
    }
    *ret = translation;
    return 0;
}

void qpw_translation_clear(struct qpw_translation *translation)
{
    free(translation->copies);
    *translation = (struct qpw_translation){0};
}

bool qpw_translation_is_same(const struct qpw_translation *l)
{
    return l->from_size == l->to_size && l->n == 1 && l->copies[0].from == 0 && l->copies[0].to == 0 && l->copies[0].size == l->to_size;
}

void qpw_translation_apply(const struct qpw_translation *translation, const void *from, void *to)
{
    memset(to, 0, translation->to_size);
    for (size_t i = 0; i < translation->n; i++)
        memcpy((char *)to + translation->copies[i].to, (const char *)from + translation->copies[i].from, translation->copies[i].size);
}

/* ---- Maps ---- */

static int ask(int fd, struct bpf_map_info *ret)
{
    __u32 size = sizeof(*ret);

    *ret = (struct bpf_map_info){0};
    return bpf_obj_get_info_by_fd(fd, ret, &size) < 0 ? -errno : 0;
}

/* Translate key and value. The types' sizes must equal the map's; otherwise entries would be read beyond their ends. */
static int make_both(const struct bpf_map_info *from, const struct btf *a, const struct bpf_map_info *to, const struct btf *b,
                     struct qpw_map_translation *ret)
{
    bool variables = !from->btf_key_type_id && !to->btf_key_type_id && from->key_size == 4 && to->key_size == 4;
    int r;

    if (!variables) {
        r = qpw_translation_make(a, from->btf_key_type_id, b, to->btf_key_type_id, &ret->key);
        if (r < 0)
            return r;
    }
    r = qpw_translation_make(a, from->btf_value_type_id, b, to->btf_value_type_id, &ret->value);
    if (r < 0)
        return r;
    if (variables && ret->value.from_size <= from->value_size && ret->value.to_size <= to->value_size) {
        ret->value.from_size = from->value_size; /* the map's value is rounded up */
        ret->value.to_size = to->value_size;
        return 0;
    }
    return ret->key.from_size == from->key_size && ret->key.to_size == to->key_size && ret->value.from_size == from->value_size &&
           ret->value.to_size == to->value_size ? 0 : -EPROTO;
}

/* Return whether the map type holds one value per key; such a map may have changed its type. */
static bool is_plain(uint32_t type)
{
    return type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_LPM_TRIE;
}

QPW_CLEANUP_POINTER(struct btf, btf__free)

int qpw_map_translation_make(int from_fd, int to_fd, struct qpw_map_translation *ret)
{
    struct qpw_map_translation translation = {0};
    struct bpf_map_info from, to;
    QPW_CLEANUP(btf__freep) struct btf *a = NULL;
    QPW_CLEANUP(btf__freep) struct btf *b = NULL;
    int r = ask(from_fd, &from);

    if (r < 0)
        return r;
    r = ask(to_fd, &to);
    if (r < 0)
        return r;
    if ((from.type != to.type && !(is_plain(from.type) && is_plain(to.type))) || !from.btf_id || !to.btf_id)
        return -EPROTO;
    a = btf__load_from_kernel_by_id(from.btf_id);
    if (!a)
        return -errno;
    b = btf__load_from_kernel_by_id(to.btf_id);
    if (!b)
        return -errno;
    r = make_both(&from, a, &to, b, &translation);
    if (r < 0) {
        qpw_map_translation_clear(&translation);
        return r;
    }
    translation.entries = from.max_entries < to.max_entries ? from.max_entries : to.max_entries;
    *ret = translation;
    return 0;
}

void qpw_map_translation_clear(struct qpw_map_translation *translation)
{
    qpw_translation_clear(&translation->key);
    qpw_translation_clear(&translation->value);
}

/* Buffers for one entry of each side. */
struct room {
    char *key, *value, *new_key, *new_value;
};

static void put_one(const struct qpw_map_translation *l, const struct room *room, int to_fd)
{
    qpw_translation_apply(&l->key, room->key, room->new_key);
    qpw_translation_apply(&l->value, room->value, room->new_value);
    bpf_map_update_elem(to_fd, room->new_key, room->new_value, BPF_ANY);
}

static void copy_array(const struct qpw_map_translation *l, const struct room *room, int from_fd, int to_fd)
{
    for (uint32_t i = 0; i < l->entries; i++) {
        memcpy(room->key, &i, sizeof(i));
        if (bpf_map_lookup_elem(from_fd, room->key, room->value) == 0 &&
            (room->value[0] || memcmp(room->value, room->value + 1, l->value.from_size - 1)))
            put_one(l, room, to_fd);
    }
}

static void copy_hash(const struct qpw_map_translation *l, const struct room *room, int from_fd, int to_fd)
{
    bool more = bpf_map_get_next_key(from_fd, NULL, room->key) == 0;

    for (uint32_t i = 0; more && i < l->entries; i++) {
        if (bpf_map_lookup_elem(from_fd, room->key, room->value) == 0)
            put_one(l, room, to_fd);
        more = bpf_map_get_next_key(from_fd, room->key, room->key) == 0;
    }
}

int qpw_map_copy(int from_fd, int to_fd)
{
    QPW_CLEANUP(qpw_map_translation_clear) struct qpw_map_translation l = {0};
    struct bpf_map_info info;
    struct room room;
    QPW_CLEANUP(qpw_freep) char *all = NULL;
    int r = qpw_map_translation_make(from_fd, to_fd, &l);

    if (r < 0)
        return r;
    r = ask(from_fd, &info);
    if (r < 0)
        return r;
    all = calloc(1, 1 + (size_t)l.key.from_size + l.value.from_size + l.key.to_size + l.value.to_size);
    if (!all)
        return -ENOMEM;
    room.key = all;
    room.value = room.key + l.key.from_size;
    room.new_key = room.value + l.value.from_size;
    room.new_value = room.new_key + l.key.to_size;
    if (info.type == BPF_MAP_TYPE_ARRAY)
        copy_array(&l, &room, from_fd, to_fd);
    else
        copy_hash(&l, &room, from_fd, to_fd);
    return 0;
}
