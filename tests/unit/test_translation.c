/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Convert values of another version's structure to this version by the names of the fields. */
#include <bpf/btf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "instance/translation.h"

/* Types that both sides share, in every struct btf of this file: ids 1 to 4. */
enum { U8 = 1, U32, U64, BYTES };

static struct btf *types(void)
{
    struct btf *btf = btf__new_empty();

    cr_assert_eq(btf__add_int(btf, "u8", 1, 0), U8);
    cr_assert_eq(btf__add_int(btf, "u32", 4, 0), U32);
    cr_assert_eq(btf__add_int(btf, "u64", 8, 0), U64);
    cr_assert_eq(btf__add_array(btf, U32, U8, 4), BYTES);
    return btf;
}

struct field {
    const char *name;
    int type;
    uint32_t offset; /* bytes */
};

static uint32_t add_struct(struct btf *btf, uint32_t size, const struct field *fields, size_t n)
{
    int id = btf__add_struct(btf, "s", size);

    cr_assert_gt(id, 0);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(btf__add_field(btf, fields[i].name, fields[i].type, fields[i].offset * 8, 0), 0);
    return (uint32_t)id;
}

#define STRUCT(btf, size, ...) \
    add_struct(btf, size, (const struct field[]){__VA_ARGS__}, sizeof((const struct field[]){__VA_ARGS__}) / sizeof(struct field))

Test(translation, the_same_form_is_one_copy)
{
    struct btf *a = types(), *b = types();
    struct qpw_translation t;

    cr_assert_eq(qpw_translation_make(a, STRUCT(a, 16, {"x", U32, 0}, {"y", U32, 4}, {"z", U64, 8}), b,
                                      STRUCT(b, 16, {"x", U32, 0}, {"y", U32, 4}, {"z", U64, 8}), &t), 0);
    cr_expect_eq(t.n, 1u);
    cr_expect(qpw_translation_is_same(&t));
    qpw_translation_clear(&t);
    btf__free(a);
    btf__free(b);
}

/* Moved, removed, added, lengthened fields, and an array of another length; inner structures too. */
Test(translation, fields_are_known_by_their_names)
{
    struct {
        uint32_t gone;
        uint8_t bytes[4];
        uint32_t number, inner_x;
    } old = {7, {1, 2, 3, 4}, 0x01020304, 9};
    struct {
        uint64_t number;
        uint32_t fresh, inner_x;
        uint8_t bytes[4];
        uint32_t pad;
    } now = {.fresh = 5};
    struct btf *a = types(), *b = types();
    uint32_t inner_a = STRUCT(a, 4, {"x", U32, 0}), inner_b = STRUCT(b, 4, {"x", U32, 0});
    struct qpw_translation t;

    cr_assert_eq(qpw_translation_make(a, STRUCT(a, 16, {"gone", U32, 0}, {"bytes", BYTES, 4}, {"number", U32, 8}, {"inner", (int)inner_a, 12}), b,
                                      STRUCT(b, 24, {"number", U64, 0}, {"fresh", U32, 8}, {"inner", (int)inner_b, 12}, {"bytes", BYTES, 16}), &t), 0);
    cr_expect_not(qpw_translation_is_same(&t));
    cr_expect_eq(t.from_size, sizeof(old));
    cr_expect_eq(t.to_size, sizeof(now));
    qpw_translation_apply(&t, &old, &now);
    cr_expect_eq(now.number, 0x01020304u);
    cr_expect_eq(now.fresh, 0u, "what was not there is zero");
    cr_expect_eq(now.inner_x, 9u);
    cr_expect_arr_eq(now.bytes, old.bytes, 4);
    qpw_translation_clear(&t);
    btf__free(a);
    btf__free(b);
}

Test(translation, what_does_not_fit_is_refused)
{
    struct btf *a = types(), *b = types();
    uint32_t inner = STRUCT(b, 4, {"x", U32, 0});
    struct qpw_translation t;

    cr_expect_eq(qpw_translation_make(a, STRUCT(a, 8, {"x", U64, 0}), b, STRUCT(b, 4, {"x", U32, 0}), &t), -EPROTO, "a number that may not fit");
    cr_expect_eq(qpw_translation_make(a, STRUCT(a, 4, {"x", U32, 0}), b, STRUCT(b, 4, {"x", (int)inner, 0}), &t), -EPROTO, "a number is no structure");
    cr_expect_eq(qpw_translation_make(a, STRUCT(a, 4, {"x", U32, 0}), b, STRUCT(b, 4, {"x", BYTES, 0}), &t), -EPROTO, "nor an array");
    cr_expect_eq(qpw_translation_make(a, 77, b, U32, &t), -EPROTO, "no such type");
    btf__free(a);
    btf__free(b);
}
