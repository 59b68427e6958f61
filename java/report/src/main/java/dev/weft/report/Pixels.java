// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static dev.weft.format.Format.format;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;

/** Pictures as files of pixels. */
final class Pixels {
  private static final double PNG_SCALE = 2; // for screens of many pixels
  private static final int SHADES = 8; // of an ink, as the edges of lines have them
  private static final int LAST = 10; // times as long as the others

  private Pixels() {}

  /** Measures a letter, which fails on a machine without fonts. */
  static void layOutText() {
    new PixelCanvas(new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB), 1)
        .text(Ink.TEXT, Canvas.Type.TICK, Canvas.Anchor.MIDDLE, 0, 0, "x");
  }

  private static BufferedImage draw(Plots plots, BufferedImage image, double scale) {
    plots.draw(new PixelCanvas(image, scale));
    return image;
  }

  static byte[] png(Plots plots) throws IOException {
    int width = (int) Math.round(plots.width() * PNG_SCALE);
    int height = (int) Math.round(plots.height() * PNG_SCALE);
    if ((long) width * height > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          format(
              "a picture of %d x %d pixels is too large for a .png: write an .svg, or several",
              width, height));
    }
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    ImageIO.write(draw(plots, image, PNG_SCALE), "png", file);
    return file.toByteArray();
  }

  /** The first colour is none: a frame shows where it differs from the one before. */
  static byte[] gif(Animation animation) throws IOException {
    IndexColorModel colours = colours();
    ImageWriter writer = ImageIO.getImageWritersByFormatName("gif").next();
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try (ImageOutputStream out = ImageIO.createImageOutputStream(file)) {
      writer.setOutput(out);
      writer.prepareWriteSequence(null);
      byte[] before = {};
      for (int i = 0; i < animation.frames().size(); i++) {
        Plots plots = animation.frames().get(i);
        int width = (int) Math.round(plots.width());
        int height = (int) Math.round(plots.height());
        BufferedImage image =
            new BufferedImage(width, height, BufferedImage.TYPE_BYTE_INDEXED, colours);
        draw(plots, image, 1);
        byte[] pixels = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
        byte[] whole = pixels.clone();
        for (int k = 0; k < before.length; k++) {
          pixels[k] = pixels[k] == before[k] ? 0 : pixels[k];
        }
        before = whole;
        boolean last = i == animation.frames().size() - 1;
        int hundredths = animation.milliseconds() / 10 * (last ? LAST : 1);
        writer.writeToSequence(
            new IIOImage(image, null, metadata(writer, image, hundredths, i == 0)), null);
      }
      writer.endWriteSequence();
    } finally {
      writer.dispose();
    }
    return file.toByteArray();
  }

  /** No colour, then each ink over paper, from thin to whole. */
  private static IndexColorModel colours() {
    int count = 1 + Ink.values().length * SHADES;
    byte[][] rgb = new byte[3][count];
    for (Ink ink : Ink.values()) {
      for (int shade = 1; shade <= SHADES; shade++) {
        for (int part = 0; part < rgb.length; part++) {
          int paper = Ink.PAPER.light >> 8 * part & 0xff;
          int full = ink.light >> 8 * part & 0xff;
          rgb[2 - part][ink.ordinal() * SHADES + shade] =
              (byte) (paper + (full - paper) * shade / SHADES);
        }
      }
    }
    return new IndexColorModel(8, count, rgb[0], rgb[1], rgb[2], 0);
  }

  /** How long a frame stands, over the one before; the first says that all repeat for ever. */
  private static IIOMetadata metadata(
      ImageWriter writer, BufferedImage image, int hundredths, boolean first) throws IOException {
    IIOMetadata metadata =
        writer.getDefaultImageMetadata(ImageTypeSpecifier.createFromRenderedImage(image), null);
    String format = metadata.getNativeMetadataFormatName();
    IIOMetadataNode root = (IIOMetadataNode) metadata.getAsTree(format);
    IIOMetadataNode control = child(root, "GraphicControlExtension");
    control.setAttribute("disposalMethod", "doNotDispose");
    control.setAttribute("userInputFlag", "FALSE");
    control.setAttribute("transparentColorFlag", "TRUE");
    control.setAttribute("transparentColorIndex", "0");
    control.setAttribute("delayTime", Integer.toString(hundredths));
    if (first) {
      IIOMetadataNode loop = child(child(root, "ApplicationExtensions"), "ApplicationExtension");
      loop.setAttribute("applicationID", "NETSCAPE");
      loop.setAttribute("authenticationCode", "2.0");
      loop.setUserObject(new byte[] {1, 0, 0});
    }
    metadata.setFromTree(format, root);
    return metadata;
  }

  private static IIOMetadataNode child(IIOMetadataNode parent, String name) {
    for (int i = 0; i < parent.getLength(); i++) {
      if (parent.item(i).getNodeName().equals(name)) {
        return (IIOMetadataNode) parent.item(i);
      }
    }
    IIOMetadataNode child = new IIOMetadataNode(name);
    parent.appendChild(child);
    return child;
  }
}
