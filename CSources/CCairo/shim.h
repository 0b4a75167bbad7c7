// The headers of cairo that FlowPlots uses: the core, and the PDF and SVG surfaces.
#ifndef CCAIRO_SHIM_H
#define CCAIRO_SHIM_H

#include <cairo.h>
#include <cairo-pdf.h>
#include <cairo-svg.h>

#endif
