/** What a report is about. */
export interface ReportedMail {
  messageId: string
  to: string
  from: string
}

/** A delivery status notification as mail servers write it (RFC 3464), with `status` such as `5.1.1`. */
export function bounceMail(
  { messageId, to, from }: ReportedMail,
  { status, diagnostic = '', action = 'failed' }: { status: string; diagnostic?: string; action?: string },
): string {
  const boundary = '=_report_1'
  return lines(
    'From: Mail Delivery Subsystem <mailer-daemon@mx.example.net>',
    `To: ${from}`,
    'Subject: Undelivered Mail Returned to Sender',
    'Date: Sun, 01 Mar 2026 04:10:00 +0000',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Your message could not be delivered.',
    '',
    `--${boundary}`,
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.net',
    'Arrival-Date: Sun, 01 Mar 2026 04:05:00 +0000',
    '',
    `Final-Recipient: rfc822; ${to}`,
    `Action: ${action}`,
    `Status: ${status}`,
    `Diagnostic-Code: smtp; ${diagnostic || `550 ${status} not delivered`}`,
    '',
    `--${boundary}`,
    'Content-Type: text/rfc822-headers',
    '',
    `Message-ID: ${messageId}`,
    `From: ${from}`,
    `To: ${to}`,
    '',
    `--${boundary}--`,
    '',
  )
}

/** A complaint as mailbox providers report it (RFC 5965). */
export function complaintMail({ messageId, to, from }: ReportedMail, type = 'abuse'): string {
  const boundary = '=_feedback_1'
  return lines(
    'From: <fbl@mailbox.example.net>',
    `To: ${from}`,
    'Subject: FW: complaint',
    'Date: Sun, 01 Mar 2026 05:00:00 +0000',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=feedback-report; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain',
    '',
    'This is an email abuse report.',
    '',
    `--${boundary}`,
    'Content-Type: message/feedback-report',
    '',
    `Feedback-Type: ${type}`,
    'User-Agent: Simulator/1.0',
    'Version: 1',
    `Original-Rcpt-To: ${to}`,
    'Arrival-Date: Sun, 01 Mar 2026 04:05:00 +0000',
    '',
    `--${boundary}`,
    'Content-Type: message/rfc822',
    '',
    `Message-ID: ${messageId}`,
    `From: ${from}`,
    `To: ${to}`,
    'Subject: spring',
    '',
    'text',
    '',
    `--${boundary}--`,
    '',
  )
}

function lines(...all: string[]): string {
  return all.join('\r\n')
}
