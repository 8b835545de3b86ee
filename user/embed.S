/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The BPF object, inside the program: one file to install, and no bpftool needed to build. */
    .section .rodata
    .balign 8
    .globl qpw_bpf_object
    .globl qpw_bpf_object_end
qpw_bpf_object:
    .incbin "bpf/qportwatch.bpf.o"
qpw_bpf_object_end:
    .section .note.GNU-stack, "", @progbits
