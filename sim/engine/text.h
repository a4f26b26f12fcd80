/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Sentences put together in a buffer: what explains a wait may not allocate, as it may run
 * on an actor's stack.
 */
#include "sim/engine/types.h"

/* text_add - print to the end of the string in @buf; what does not fit its @n bytes is lost */
void text_add(char *buf, size_t n, const char *fmt, ...) __printf(3, 4);
