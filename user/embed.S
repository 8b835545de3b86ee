/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The BPF objects, the report's stylesheet and script, the evidence's script, inside the program: one file to install, and no bpftool needed to build. */
    .section .rodata
    .balign 8
    .globl qpw_bpf_object
    .globl qpw_bpf_object_end
qpw_bpf_object:
    .incbin "bpf/qportwatch.bpf.o"
qpw_bpf_object_end:
    .balign 8
    .globl qpw_bpf_object_old
    .globl qpw_bpf_object_old_end
qpw_bpf_object_old:
    .incbin "bpf/qportwatch-old.bpf.o"
qpw_bpf_object_old_end:
    .balign 8
    .globl qpw_bench_object
    .globl qpw_bench_object_end
qpw_bench_object:
    .incbin "bpf/bench.bpf.o"
qpw_bench_object_end:
    .globl qpw_page_css
    .globl qpw_page_css_end
    .globl qpw_page_js
    .globl qpw_page_js_end
qpw_page_css:
    .incbin "user/report/page.css"
qpw_page_css_end:
qpw_page_js:
    .incbin "user/report/page.js"
qpw_page_js_end:
    .globl qpw_recount
    .globl qpw_recount_end
qpw_recount:
    .incbin "user/evidence/recount.sh"
qpw_recount_end:
#define TEXT(path) #path
#define BUILTIN(symbol, name, guide) \
    .globl qpw_builtin_##symbol; \
    .globl qpw_builtin_##symbol##_end; \
    qpw_builtin_##symbol: .incbin TEXT(user/policy/lang/builtin/name.policy); \
    qpw_builtin_##symbol##_end:
#include "user/policy/lang/builtin/list.h"
    .section .note.GNU-stack, "", @progbits
