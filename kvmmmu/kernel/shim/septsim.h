/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What stands for Linux around the files of KVM: each header that headers.txt gives to the
 * shim is this one. Names, values and signatures are the kernel's (facts); what they do is
 * a step of the engine or nothing. No text of Linux is here.
 */
#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/const.h>
#include <linux/container_of.h>
#include <linux/build_bug.h>
#include <linux/stringify.h>
#include <linux/array_size.h>
#include <linux/err.h>
#include "septsim/base.h"
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/align.h>
#include <linux/math.h>
#include <linux/init.h>
#include <linux/export.h>
#include <uapi/asm-generic/errno.h>
#include "septsim/atomic.h"
#include <linux/log2.h>
#include "septsim/lock.h"
#include "septsim/mm.h"
#include "septsim/sched.h"
#include "septsim/fs.h"
#include "septsim/xarray.h"
#include "septsim/trace.h"
#include "septsim/types.h"
#include <linux/cleanup.h>
#include "septsim/guards.h"
#include "septsim/x86.h"
