/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the model knows, as words: the parser checks names against it and finds hints in
 * it, and `septsim list` prints it. Taken from the layers' own tables and from the regions
 * of a small simulation, never written down twice.
 */
#pragma once

#include "scenarios/ast.h"

/* scenario_vocab_model - for scenario_parse_file(). Must not be called while a sim lives. */
const struct scenario_vocab *scenario_vocab_model(void);
