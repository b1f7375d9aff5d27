import type { ReportedMail } from './mail-reports.ts'

/** Bounces as mail servers write them, each in its own way: in parts (RFC 3464) or in words alone. */
export const bounceDialects = {
  postfix: (about: ReportedMail) =>
    inParts(about, {
      from: 'MAILER-DAEMON@mx.shop.example (Mail Delivery System)',
      subject: 'Undelivered Mail Returned to Sender',
      status: [
        'Reporting-MTA: dns; mx.shop.example',
        'X-Postfix-Queue-ID: 4c1ZtW2q3Lz9v',
        `X-Postfix-Sender: rfc822; ${about.from}`,
        'Arrival-Date: Sun,  1 Mar 2026 04:00:01 +0000 (UTC)',
        '',
        `Final-Recipient: rfc822; ${about.to}`,
        `Original-Recipient: rfc822;${about.to}`,
        'Action: failed',
        'Status: 5.1.1',
        'Remote-MTA: dns; mx.example.net',
        `Diagnostic-Code: smtp; 550 5.1.1 <${about.to}>: Recipient address rejected: User`,
        '    unknown in virtual mailbox table',
      ],
      returned: 'text/rfc822-headers',
    }),

  /** Returns only the head, and writes a vague status. */
  exim: (about: ReportedMail) =>
    inParts(about, {
      from: 'Mail Delivery System <Mailer-Daemon@mx.shop.example>',
      subject: 'Mail delivery failed: returning message to sender',
      extra: [`X-Failed-Recipients: ${about.to}`],
      status: [
        'Reporting-MTA: dns; mx.shop.example',
        '',
        'Action: failed',
        `Final-Recipient: rfc822;${about.to}`,
        'Status: 5.0.0',
        'Remote-MTA: dns; mx.example.net',
        'Diagnostic-Code: smtp; 550-5.7.26 This mail has been blocked because the sender is unauthenticated.',
      ],
      returned: 'message/rfc822',
    }),

  exchange: (about: ReportedMail) =>
    inParts(about, {
      from: 'postmaster@contoso.example',
      subject: 'Undeliverable: 春茶到了',
      extra: [`In-Reply-To: ${about.messageId}`, 'X-MS-Exchange-Message-Is-Ndr:'],
      status: [
        'Reporting-MTA: dns;AM0PR01MB1234.eurprd01.prod.exchangelabs.com',
        'Received-From-MTA: dns;mx.shop.example',
        'Arrival-Date: Sun, 1 Mar 2026 04:00:02 +0000',
        '',
        `Final-Recipient: rfc822;${about.to}`,
        'Action: failed',
        'Status: 5.1.10',
        'Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient',
        ' not found by SMTP address lookup',
        `X-Display-Name: ${about.to}`,
      ],
      returned: 'message/rfc822',
    }),

  /** A mailbox that is full: it may have room again. */
  gmail: (about: ReportedMail) =>
    inParts(about, {
      from: 'Mail Delivery Subsystem <mailer-daemon@googlemail.com>',
      subject: 'Delivery Status Notification (Failure)',
      extra: [`References: ${about.messageId}`, `In-Reply-To: ${about.messageId}`],
      status: [
        'Reporting-MTA: dns; googlemail.com',
        'Arrival-Date: Sat, 28 Feb 2026 20:00:03 -0800 (PST)',
        'X-Original-Message-ID: <changed@mail.gmail.com>',
        '',
        `Final-Recipient: rfc822; ${about.to}`,
        'Action: failed',
        'Status: 4.2.2',
        'Remote-MTA: dns; gmail-smtp-in.l.google.com. (192.0.2.26, the server for the domain example.net.)',
        'Diagnostic-Code: smtp; 452-4.2.2 The recipient’s inbox is out of storage space.',
        'Last-Attempt-Date: Sun, 01 Mar 2026 04:00:05 -0000',
      ],
      returned: undefined,
    }),

  qmail: (about: ReportedMail) =>
    inWords(about, {
      from: 'MAILER-DAEMON@mx.shop.example',
      subject: 'failure notice',
      words: [
        'Hi. This is the qmail-send program at mx.shop.example.',
        "I'm afraid I wasn't able to deliver your message to the following addresses.",
        "This is a permanent error; I've given up. Sorry it didn't work out.",
        '',
        `<${about.to}>:`,
        '192.0.2.7 does not like recipient.',
        'Remote host said: 550 5.1.1 unknown or illegal alias',
        'Giving up on 192.0.2.7.',
        '',
        '--- Below this line is a copy of the message.',
        '',
        `Return-Path: <${about.from}>`,
        `Message-ID: ${about.messageId}`,
        'Subject: spring',
      ],
    }),

  /** As large providers in China write them: words, and the mail as a file. */
  netease: (about: ReportedMail) =>
    [
      'From: Postmaster@163.com',
      `To: ${about.from}`,
      'Subject: =?utf-8?B?57O757uf6YCA5L+h?=',
      'Date: Sun, 01 Mar 2026 12:10:00 +0800',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary="_b1"',
      '',
      '--_b1',
      'Content-Type: text/html; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      `<p>抱歉，您的邮件被退回来了……</p><p>收件人 ${about.to}</p><p>退信原因：User not found: 550 5.1.1</p>`,
      '',
      '--_b1',
      'Content-Type: message/rfc822; name="origin.eml"',
      'Content-Disposition: attachment; filename="origin.eml"',
      '',
      `Message-ID: ${about.messageId}`,
      `From: ${about.from}`,
      `To: ${about.to}`,
      '',
      'text',
      '--_b1--',
      '',
    ].join('\r\n'),
} satisfies Record<string, (about: ReportedMail) => string>

interface InParts {
  from: string
  subject: string
  extra?: string[]
  status: string[]
  /** Type of the part that gives the mail back. */
  returned: 'text/rfc822-headers' | 'message/rfc822' | undefined
}

function inParts(
  { messageId, from, to }: ReportedMail,
  { from: daemon, subject, extra = [], status, returned }: InParts,
): string {
  const head = [`Return-Path: <${from}>`, `Message-ID: ${messageId}`, `From: ${from}`, `To: ${to}`]
  return [
    'Return-Path: <>',
    `From: ${daemon}`,
    `To: ${from}`,
    `Subject: ${subject}`,
    'Date: Sun, 01 Mar 2026 03:59:00 +0000',
    'Auto-Submitted: auto-replied',
    ...extra,
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    '\tboundary="4c1ZtW2q3Lz9v.1772337602/mx"',
    '',
    'This is a MIME-encapsulated message.',
    '',
    '--4c1ZtW2q3Lz9v.1772337602/mx',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    `I'm sorry to have to inform you that your message could not be delivered to ${to}.`,
    '',
    '--4c1ZtW2q3Lz9v.1772337602/mx',
    'Content-Description: Delivery report',
    'Content-Type: message/delivery-status',
    '',
    ...status,
    '',
    ...(returned
      ? ['--4c1ZtW2q3Lz9v.1772337602/mx', `Content-Type: ${returned}`, '', ...head, 'Subject: spring', '']
      : []),
    ...(returned === 'message/rfc822' ? ['text', ''] : []),
    '--4c1ZtW2q3Lz9v.1772337602/mx--',
    '',
  ].join('\r\n')
}

function inWords(
  { from }: ReportedMail,
  { from: daemon, subject, words }: { from: string; subject: string; words: string[] },
): string {
  return [
    'Return-Path: <>',
    `From: ${daemon}`,
    `To: ${from}`,
    `Subject: ${subject}`,
    'Date: 1 Mar 2026 03:59:30 -0000',
    '',
    ...words,
    '',
  ].join('\r\n')
}
