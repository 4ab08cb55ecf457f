#pragma once
#include <stdio.h>
#include <png.h>
#include <turbojpeg.h>
#include <libexif/exif-data.h>
#include <cairo.h>
